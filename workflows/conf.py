"""The engine's settings: one frozen object made from `settings.CELERIAC`; unknown names refused."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from ipaddress import ip_network
from types import MappingProxyType
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed

from workflows.errors import ConfigurationError, suggest

#: How nodes of kind `code` and `command` run, if at all.
ISOLATION = ("off", "isolated", "trusted")
_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?(:\d{1,5})?", re.ASCII)
_FERNET_KEY = re.compile(r"[A-Za-z0-9_-]{43}=", re.ASCII)
_RATE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*/\s*(s|m|h)\s*$")
#: The names of the environment and of Django's settings: a message has to fit whoever reads it.
_QUEUES = "CELERIAC_QUEUES (CELERIAC['QUEUES'])"
_DISPATCHER = "CELERIAC_DISPATCHER (CELERIAC['DISPATCHER'])"
CODE = "CELERIAC_CODE (CELERIAC['CODE'])"
COMMAND = "CELERIAC_COMMAND (CELERIAC['COMMAND'])"
COMMAND_PROGRAMS = "CELERIAC_COMMAND_PROGRAMS (CELERIAC['COMMAND_PROGRAMS'])"
COMMAND_FOLDERS = "CELERIAC_COMMAND_FOLDERS (CELERIAC['COMMAND_FOLDERS'])"
HTTP_PRIVATE = "CELERIAC_HTTP_PRIVATE (CELERIAC['HTTP_PRIVATE'])"
HTTP_HOSTS = "CELERIAC_HTTP_HOSTS (CELERIAC['HTTP_HOSTS'])"
SECRET_KEYS = "CELERIAC_SECRET_KEYS (CELERIAC['SECRET_KEYS'])"  # noqa: S105 - a name, not a secret
MAX_VALUE_BYTES = "CELERIAC['MAX_VALUE_BYTES']"
_LISTS = ("command_programs", "command_folders", "http_private", "http_hosts", "secret_keys")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_VARIABLES = {
    "slots": "CELERIAC_CONCURRENCY",
    "lease_seconds": "CELERIAC_LEASE_SECONDS",
    "message_seconds": "CELERIAC_MESSAGE_SECONDS",
}
_NAME = re.compile(r"[\w.:-]{1,80}")
_HOUR, _DAY, _YEAR = 3600, 86_400, 366 * 86_400
_MOST = 1_000_000  # of a queue at once, or in a second
#: The least and the most of every number. Past these, times leave the calendar or a sweep would
#: never end; that must be told at the start, not in the middle of a run.
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "slots": (1, 1000),
    "lease_seconds": (1, _DAY),
    "message_seconds": (0, _DAY),
    "slice_seconds": (0, _HOUR),
    "batch_seconds": (0, _HOUR),
    "lost_work_attempts": (1, 1000),
    "activity_seconds": (1, _YEAR),
    "event_ttl_seconds": (1, _YEAR),
    "idempotency_seconds": (1, _YEAR),
    "content_grace_seconds": (600, _YEAR),
    "sweep_limit": (1, 100_000),
    "max_value_bytes": (1000, 1_000_000_000),
    "task_seconds": (1, _YEAR),
    "code_seconds": (1, _DAY),
    "code_memory_mb": (16, 1_000_000),
    "command_seconds": (1, _DAY),
    "command_memory_mb": (16, 1_000_000),
    "sandbox_file_mb": (1, 1_000_000),
    "sandbox_processes": (1, 10_000),
    "captured_bytes": (1000, 1_000_000_000),
    "http_seconds": (1, _HOUR),
}


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """Limits of one named queue, across all workers; None: no limit."""

    rate: float | None = None  # claims a second
    burst: int = 1  # claims that may come at once
    concurrency: int | None = None  # threads at once


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default and unit."""

    dispatcher: str = "celery"  # or "inline": no broker, rows are worked off in process
    queues: Mapping[str, QueueSettings] = field(default_factory=dict)  # limits of named queues
    default_queue: str = "workflows"  # where threads go that name no queue
    slots: int = 2  # slots of a group's chord: the pool processes that serve its queue
    lease_seconds: float = 15.0  # a claim not renewed for so long is taken for lost
    message_seconds: float = 15.0  # a thread not claimed so long after its message is sent again
    slice_seconds: float = 0.2  # a message gives way to other work after this
    batch_seconds: float = 0.05  # claims are sized to take about this long
    lost_work_attempts: int = 5  # claims that end with a dead worker before the node fails
    activity_seconds: float = 300.0  # an activity's time limit when its node has none
    task_seconds: float = 86400.0  # a Celery task's time limit when its node has none
    event_ttl_seconds: float = 7 * 86400.0  # how long an early event is kept
    idempotency_seconds: float = 86400.0  # how long the answer to a request with a key is kept
    content_grace_seconds: float = 3600.0  # how long an unused large context stays
    sweep_limit: int = 500  # rows of each sort that one sweep mends
    max_value_bytes: int = 8_000_000  # largest JSON value that may enter
    code: str = "off"  # how `code` nodes run: `off`, `isolated`, `trusted` (in process)
    code_seconds: float = 5.0  # an isolated `code` node's time limit when it has none
    code_memory_mb: int = 256  # memory of an isolated `code` node
    command: str = "off"  # how `command` nodes run: `off`, `isolated`, `trusted`
    command_programs: tuple[str, ...] = ()  # what may be run: names below /usr, or absolute paths
    command_folders: tuple[str, ...] = ()  # what isolated programs can read beside /usr
    command_seconds: float = 60.0  # a `command` node's time limit when it has none
    command_memory_mb: int = 1024  # memory of each of its processes
    sandbox_file_mb: int = 64  # largest file; isolated, the working directory as a whole
    sandbox_processes: int = 32  # processes and threads that an isolated node may have at once
    captured_bytes: int = 1_000_000  # largest answer of `http`, output of `command`, file of it
    http_seconds: float = 30.0  # an `http` node's time limit when it has none
    http_private: tuple[str, ...] = ()  # networks and hosts that may be called although private
    http_hosts: tuple[str, ...] = ()  # only these hosts may be called; all when empty
    http_ca_file: str = ""  # certificates to trust instead of the system's
    secret_keys: tuple[str, ...] = field(default=(), repr=False)  # Fernet keys; the first encrypts


def _rate(text: Any, queue: str) -> float | None:
    if text is None:
        return None
    match = _RATE.match(str(text))
    rate = float(match[1]) / _SECONDS[match[2]] if match is not None else 0.0
    if not 1 / _YEAR <= rate <= _MOST:
        reason = f"rate {text!r:.40} is not like '50/s', '10/m' or '5/h', at most {_MOST:,}/s"
        raise _queue_error(queue, reason)
    return rate


def _count(name: str, raw: Mapping[str, Any], default: int | None, *, queue: str) -> int | None:
    value = raw.get(name, default)
    if value is not None and (type(value) is not int or not 1 <= value <= _MOST):
        reason = f"{name} {value!r:.40} is not a whole number from 1 to {_MOST:,}"
        raise _queue_error(queue, reason)
    return value


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _queue_error(name: object, reason: str) -> ConfigurationError:
    return ConfigurationError(f"{_QUEUES}: queue {name!r}: {reason}.")


def _queue(name: str, raw: Any) -> QueueSettings:
    known = {item.name for item in fields(QueueSettings)}
    if not _is_name(name):
        raise _queue_error(name, "a name has 1 to 80 letters, digits and . : _ -")
    if not isinstance(raw, Mapping):
        raise _queue_error(name, "its limits are not an object like {'rate': '50/s'}")
    for key in raw:
        if key not in known:
            raise _queue_error(name, f"unknown field {key!r}{suggest(str(key), known)}")
    rate = _rate(raw.get("rate"), name)
    burst = _count("burst", raw, max(1, int((rate or 0) / 10)), queue=name) or 1
    if rate is not None and burst / rate > _YEAR:
        raise _queue_error(name, f"burst {burst} takes more than a year to save up at that rate")
    return QueueSettings(rate, burst, _count("concurrency", raw, None, queue=name))


def _queues(raw: Any) -> Mapping[str, QueueSettings]:
    if not isinstance(raw, Mapping):
        raise ConfigurationError(f"{_QUEUES}: not an object like {{'mail': {{'rate': '50/s'}}}}.")
    return MappingProxyType({name: _queue(name, value) for name, value in raw.items()})


@cache
def settings() -> Settings:
    """Return the settings of this process. Raises ConfigurationError."""
    raw = {key.lower(): value for key, value in getattr(django_settings, "CELERIAC", {}).items()}
    known = {item.name for item in fields(Settings)}
    for key in raw:
        if key not in known:
            message = f"CELERIAC has an unknown setting {key.upper()!r}{suggest(key, known)}."
            raise ConfigurationError(message)
    lists: dict[str, Any] = {name: _list(name, raw.pop(name)) for name in _LISTS if name in raw}
    made = Settings(queues=_queues(raw.pop("queues", {})), **lists, **raw)
    _check_choice(_DISPATCHER, made.dispatcher, ("celery", "inline"))
    _check_choice(CODE, made.code, ISOLATION)
    _check_choice(COMMAND, made.command, ISOLATION)
    _check_each(HTTP_PRIVATE, made.http_private, _is_place, "a network or a host")
    _check_each(HTTP_HOSTS, made.http_hosts, is_host, "a host")
    _check_each(COMMAND_FOLDERS, made.command_folders, _is_absolute, "an absolute path")
    _check_keys(made.secret_keys)
    if not _is_name(made.default_queue):
        message = f"CELERIAC['DEFAULT_QUEUE']: {made.default_queue!r} is no name of a queue."
        raise ConfigurationError(message)
    for item in fields(Settings):
        if item.name in _BOUNDS:
            _refuse_number(item.name, getattr(made, item.name), is_whole=item.type is int)
    return made


def _list(name: str, raw: Any) -> tuple[Any, ...]:
    if isinstance(raw, list | tuple):
        return tuple(raw)
    raise ConfigurationError(f"CELERIAC[{name.upper()!r}] is not a list.")


def _check_choice(name: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        choices = ", ".join(repr(each) for each in known)
        raise ConfigurationError(f"{name}: {value!r} is none of {choices}.")


def _check_each(
    name: str, values: tuple[Any, ...], is_fit: Callable[[str], bool], wanted: str
) -> None:
    for value in values:
        if not isinstance(value, str) or not is_fit(value):
            raise ConfigurationError(f"{name}: {value!r} is not {wanted}.")


def _check_keys(keys: tuple[Any, ...]) -> None:
    """Refuse what is no key, without repeating it."""
    for number, key in enumerate(keys, start=1):
        if not isinstance(key, str) or not _FERNET_KEY.fullmatch(key):
            message = f"{SECRET_KEYS}: key number {number} is no Fernet key."
            raise ConfigurationError(f"{message} `manage.py workflow secret new-key` makes one.")


def is_host(value: str) -> bool:
    """Tell whether text is the pattern of a host: `name`, `*.name`, `name:port`."""
    return _HOST.fullmatch(value) is not None


def _is_place(value: str) -> bool:
    return is_host(value) or is_network(value)


def _is_absolute(value: str) -> bool:
    return value.startswith("/") and value != "/"


def is_network(value: str) -> bool:
    """Tell whether text names an IP network or a single address."""
    try:
        ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _refuse_number(name: str, value: Any, *, is_whole: bool) -> None:
    """Pass a number within its bounds; neither a boolean nor NaN is one."""
    least, most = _BOUNDS[name]
    kinds: tuple[type, ...] = (int,) if is_whole else (int, float)
    if type(value) in kinds and least <= value <= most:
        return
    setting = f"CELERIAC[{name.upper()!r}]"
    told = f"{_VARIABLES[name]} ({setting})" if name in _VARIABLES else setting
    wanted = "a whole number" if is_whole else "a number"
    message = f"{told}: {value!r:.40} is not {wanted} from {least:,} to {most:,}."
    raise ConfigurationError(message)


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "CELERIAC":
        settings.cache_clear()


setting_changed.connect(_forget)
