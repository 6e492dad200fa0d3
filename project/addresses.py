"""What DATABASE_URL, REDIS_URL and BROKER_URL may say, and what it means to Django and Celery.

Nothing is contacted here. A message names the variable, what is wrong and the nearest scheme;
it never repeats user names or passwords.
"""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

import environ

from workflows.errors import ConfigurationError, suggest

_POSTGRES_SCHEMES = {"postgresql", "postgres", "psql", "pgsql"}
_DATABASE_SCHEMES = {"sqlite", *_POSTGRES_SCHEMES}
_SOCKET_SCHEMES = {"unix", "socket", "redis+socket"}
_REDIS_SCHEMES = {"redis", "rediss", *_SOCKET_SCHEMES}
_AMQP_SCHEMES = {"amqp", "amqps", "pyamqp"}
_LAST_REDIS_DATABASE = 15  # a Redis server has 16 of them unless told otherwise

# Without these, writers on SQLite fail with "database is locked" instead of waiting: measured.
_SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
        " PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864"
    ),
}


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """One numbered database of a Redis server, reached over TCP, TLS or a unix socket."""

    scheme: str  # redis, rediss, or unix
    authority: str  # credentials, host and port as they stood; credentials only for a socket
    path: str  # of the socket; empty otherwise
    database: int = 0

    @classmethod
    def parse(cls, variable: str, url: str) -> Self:
        """Return the address that `url` names, or say what is wrong with environment `variable`."""
        parts = _split(variable, url, _REDIS_SCHEMES)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.scheme in _SOCKET_SCHEMES:
            number = query.get("db", query.get("virtual_host", "0"))
            path = unquote(parts.path)
            if len(path) < 2:
                raise ConfigurationError(f"{variable}: {parts.scheme}:// needs a socket's path")
            return cls("unix", parts.netloc, path, _database_number(variable, number))
        number = query.get("db", parts.path.strip("/") or "0")
        if not parts.hostname:
            raise ConfigurationError(
                f"{variable}: {parts.scheme}:// needs a host, as in {_EXAMPLE}"
            )
        return cls(parts.scheme, parts.netloc, "", _database_number(variable, number))

    @classmethod
    def at_socket(cls, path: Path) -> Self:
        return cls("unix", "", str(path))

    @property
    def place(self) -> str:
        """Host and port, or the socket's path, for messages: without credentials."""
        return self.path or self.authority.rpartition("@")[2]

    @property
    def client_url(self) -> str:
        """The address as redis-py takes it."""
        if self.scheme == "unix":
            return f"unix://{self.authority}{quote(self.path)}?db={self.database}"
        return f"{self.scheme}://{self.authority}/{self.database}"

    @property
    def celery_url(self) -> str:
        """The address as Celery takes it, for a broker and for a result backend alike."""
        if self.scheme == "unix":
            path = quote(self.path)
            return f"redis+socket://{self.authority}{path}?virtual_host={self.database}"
        return self.client_url

    def beside(self) -> Self:
        """Return another database of the same server, so that a flush of one spares the other."""
        step = 1 if self.database < _LAST_REDIS_DATABASE else -1
        return replace(self, database=self.database + step)


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """The message broker: RabbitMQ, or a Redis database."""

    url: str
    place: str
    redis: RedisAddress | None

    @classmethod
    def parse(cls, variable: str, url: str) -> Self:
        """Return the broker that `url` names, or say what is wrong with environment `variable`."""
        parts = _split(variable, url, _AMQP_SCHEMES | _REDIS_SCHEMES)
        if parts.scheme in _REDIS_SCHEMES:
            return cls.on_redis(RedisAddress.parse(variable, url))
        if not parts.hostname:
            raise ConfigurationError(f"{variable}: {parts.scheme}:// needs a host and a vhost")
        return cls(url, f"{parts.hostname}:{parts.port or 5672}", None)

    @classmethod
    def on_redis(cls, address: RedisAddress) -> Self:
        return cls(address.celery_url, address.place, address)


def database_settings(variable: str, url: str) -> dict[str, Any]:
    """Return Django's settings for the database that `url` names, with the options it needs."""
    if url == "sqlite://:memory:":  # no port, though it looks like one
        url = "sqlite://"
    parts = _split(variable, url, _DATABASE_SCHEMES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is refused below with a better message
        found: dict[str, Any] = environ.Env.db_url_config(url)
    # Kept between tasks and requests; a health check replaces a connection that the server dropped.
    found |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
    if parts.scheme == "sqlite":
        return _sqlite(variable, found, host=parts.netloc)
    return _postgresql(variable, found)


def _sqlite(variable: str, found: dict[str, Any], *, host: str) -> dict[str, Any]:
    name = found["NAME"]
    if host or name == ":memory:":
        raise ConfigurationError(
            f"{variable}: SQLite needs a file that other processes can open too,"
            " as in sqlite:////absolute/path/celeriac.sqlite3"
        )
    path = Path(name).absolute()
    # Django would test in memory, where WAL and a second process do not exist.
    test = {"NAME": str(path.with_name(f"test-{path.name}"))}
    return found | {"NAME": str(path), "OPTIONS": dict(_SQLITE_OPTIONS), "TEST": test}


def _postgresql(variable: str, found: dict[str, Any]) -> dict[str, Any]:
    # The engine prepares its few hot statements; ?prepare_threshold=None, for a pooler that cannot,
    # turns that off.
    own = {"connect_timeout": 5, "application_name": "celeriac", "prepare_threshold": 5}
    options = own | found.get("OPTIONS", {})
    if options["prepare_threshold"] == "None":
        options["prepare_threshold"] = None
    host = options.pop("host", found["HOST"])  # ?host=/folder is how a unix socket is written
    if not found["NAME"]:
        raise ConfigurationError(
            f"{variable}: no database name, as in postgresql://user:password@host:5432/celeriac"
        )
    return found | {"HOST": host, "OPTIONS": options}


_EXAMPLE = "redis://127.0.0.1:6379/0"


def _split(variable: str, url: str, schemes: set[str]) -> SplitResult:
    scheme = url.partition("://")[0].lower()
    if scheme not in schemes or "://" not in url:
        known = ", ".join(f"{name}://" for name in sorted(schemes))
        hint = suggest(scheme, schemes) if "://" in url else ""
        named = f"{scheme!r} is no scheme that Celeriac knows" if "://" in url else "this is no URL"
        raise ConfigurationError(f"{variable}: {named}{hint}; it takes {known}")
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it is what checks it
    except ValueError as error:
        raise ConfigurationError(f"{variable}: host and port cannot be read: {error}") from None
    return parts


def _database_number(variable: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(
            f"{variable}: {text!r} is no Redis database number, as in {_EXAMPLE}"
        )
    return int(text)
