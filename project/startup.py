"""What must hold before anything starts: settings that can be read, servers that answer.

Where it does not hold, the process says so in one line on standard error and exits with code 2;
with code 1 when a process that it started does not stay up.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from django.conf import settings
from django.db import connection
from django.db.utils import OperationalError
from kombu import Connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from project.addresses import BrokerAddress, RedisAddress
from project.processes import ProcessFailedError
from workflows.errors import CeleriacError, ConfigurationError

FAILED, MISCONFIGURED = 1, 2  # exit codes
_PATIENCE = 3  # seconds for a server to answer


@contextmanager
def stop_when_misconfigured() -> Iterator[None]:
    """Turn a wrong setting, or a database that does not answer, into one line and an exit code."""
    try:
        yield
    except ConfigurationError as error:
        _stop(error, MISCONFIGURED)
    except ProcessFailedError as error:
        _stop(error, FAILED)
    except OperationalError:
        # It may be any trouble of a database that does answer: that keeps its traceback.
        try:
            require_database()
        except ConfigurationError as error:
            _stop(error, MISCONFIGURED)
        raise


def require_servers() -> None:
    """Make sure that the database, Redis and the broker answer.

    Raises:
        ConfigurationError: one does not; the message names its variable and its place.
    """
    require_database()
    require_redis(settings.REDIS, "REDIS_URL")
    if settings.BROKER.redis is None:
        require_rabbitmq(settings.BROKER)
    elif settings.BROKER.redis != settings.REDIS:
        require_redis(settings.BROKER.redis, "BROKER_URL")


def require_database() -> None:
    """Make sure that the database answers; leaves no connection open."""
    connection.close()
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise _unreachable("DATABASE_URL", _database_place(), error) from None
    finally:
        connection.close()


def require_redis(address: RedisAddress, variable: str) -> None:
    """Make sure that the Redis at `address`, named by environment `variable`, answers."""
    try:
        ping_redis(address)
    except (redis.RedisError, OSError) as error:
        raise _unreachable(variable, f"Redis at {address.place}", error) from None


def ping_redis(address: RedisAddress) -> None:
    """Ask the Redis at `address` once; raises what redis-py raises when it does not answer."""
    once = Retry(NoBackoff(), 0)
    with redis.Redis.from_url(address.client_url, socket_timeout=_PATIENCE, retry=once) as client:
        client.ping()


def require_rabbitmq(broker: BrokerAddress) -> None:
    """Make sure that the AMQP broker answers and lets us in."""
    try:
        with Connection(broker.url, connect_timeout=_PATIENCE) as link:
            link.connect()
    except Exception as error:  # noqa: BLE001 - a refused login has a class of its own transport
        raise _unreachable("BROKER_URL", f"RabbitMQ at {broker.place}", error) from None


def _database_place() -> str:
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        return f"SQLite file {database['NAME']}"
    host = database["HOST"] or "the default socket"
    return f"PostgreSQL at {host}:{database['PORT'] or 5432}"


def _unreachable(variable: str, place: str, error: Exception) -> ConfigurationError:
    reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    return ConfigurationError(f"{variable}: cannot reach {place}: {reason}")


def _stop(error: CeleriacError, code: int) -> None:
    sys.stderr.write(f"celeriac: {error}\n")
    raise SystemExit(code) from None
