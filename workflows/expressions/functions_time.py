"""Functions on timestamps and durations.

A timestamp always has a zone; text without one is read as UTC. Both leave expressions as text:
`2026-11-20T13:00:00Z` and `PT1H30M`.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from workflows.expressions.faults import FaultError
from workflows.expressions.registry import Registry

REGISTRY: Final = Registry()
T = TypeVar("T")

_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(?P<zone>[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ISO = re.compile(
    r"(?P<sign>[+-])?P(?=[\dT])(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?"
    r"(?:(?P<seconds>\d{1,12}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_SHORT = re.compile(
    r"(?P<sign>[+-])?(?P<parts>(?:\d{1,12}(?:\.\d{1,9})?(?:ns|us|ms|s|m|h|d))+)", re.ASCII
)
_SHORT_PART = re.compile(r"([\d.]+)(ns|us|ms|s|m|h|d)", re.ASCII)
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}
_OFFSET = re.compile(r"(?P<sign>[+-])?(?P<hours>\d\d?):(?P<minutes>\d\d)", re.ASCII)
#: No field widths: `%999999999d` makes the C library fill memory.
_FORMAT = re.compile(r"(?:[^%]|%[aAbBdfHIjmMpSyYzZ%])*", re.DOTALL)


@REGISTRY.add({"timestamp('2026-11-20T13:00:00Z')": "2026-11-20T13:00:00Z"})
def timestamp(value: str | int | datetime) -> datetime:
    """Return the timestamp of RFC 3339 text, or of so many seconds since 1970."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, int):
        return _bounded(lambda: datetime.fromtimestamp(value, UTC))
    if _TIMESTAMP.fullmatch(value):
        return _read_timestamp(value)
    raise FaultError("the text is no timestamp; write it as 2026-11-20T13:00:00Z")


@REGISTRY.add(
    {
        "date('2026-11-20')": "2026-11-20T00:00:00Z",
        "date('2026-11-20', 'Europe/Berlin')": "2026-11-20T00:00:00+01:00",
    }
)
def date(value: str | datetime, zone: str = "UTC") -> datetime:
    """Return the beginning of a day in a time zone, from `2026-11-20` or from a timestamp."""
    place = _zone(zone)
    if isinstance(value, str) and _DATE.fullmatch(value):
        return _bounded(lambda: datetime.fromisoformat(value).replace(tzinfo=place))
    moment = timestamp(value).astimezone(place)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


@REGISTRY.add({"duration('PT1H30M')": "PT1H30M", "duration('90m')": "PT1H30M"})
def duration(value: str | timedelta) -> timedelta:
    """Return the duration of ISO 8601 text (`P2DT3H`, no months or years) or of CEL's (`1h30m`)."""
    if isinstance(value, timedelta):
        return value
    match = _ISO.fullmatch(value)
    if match:
        units = ("weeks", "days", "hours", "minutes", "seconds")
        parts = {unit: float(match[unit]) for unit in units if match[unit]}
        span = _bounded(lambda: timedelta(**parts))
        return -span if match["sign"] == "-" else span
    return _read_short(value)


@REGISTRY.add({"days(2)": "P2D"})
def days(count: float) -> timedelta:
    """Return a duration of so many times 24 hours."""
    return _bounded(lambda: timedelta(days=count))


@REGISTRY.add({"hours(1.5)": "PT1H30M"})
def hours(count: float) -> timedelta:
    """Return a duration of so many hours."""
    return _bounded(lambda: timedelta(hours=count))


@REGISTRY.add({"minutes(90)": "PT1H30M"})
def minutes(count: float) -> timedelta:
    """Return a duration of so many minutes."""
    return _bounded(lambda: timedelta(minutes=count))


@REGISTRY.add({"seconds(90)": "PT1M30S"})
def seconds(count: float) -> timedelta:
    """Return a duration of so many seconds."""
    return _bounded(lambda: timedelta(seconds=count))


@REGISTRY.add({"total_seconds(duration('PT1M30S'))": 90.0})
def total_seconds(span: timedelta) -> float:
    """Return the length of a duration in seconds."""
    return span.total_seconds()


@REGISTRY.add({"format_date(timestamp('2026-11-20T13:00:00Z'), '%d.%m.%Y')": "20.11.2026"})
def format_date(moment: datetime, pattern: str, zone: str = "UTC") -> str:
    """Return the timestamp as text; the pattern has strftime's `%Y %m %d %H %M %S %j %a %b ...`."""
    if len(pattern) > 200 or not _FORMAT.fullmatch(pattern):
        raise FaultError("the pattern has a sign that is not one of %Y %m %d %H %M %S %f %j %a %b")
    return _local(moment, zone).strftime(pattern)


@REGISTRY.add({"timestamp('2026-11-20T13:00:00Z').getFullYear()": 2026})
def getFullYear(moment: datetime, zone: str = "UTC") -> int:  # noqa: N802 - CEL's name
    """Return the year."""
    return _local(moment, zone).year


@REGISTRY.add({"timestamp('2026-11-20T13:00:00Z').getMonth()": 10})
def getMonth(moment: datetime, zone: str = "UTC") -> int:  # noqa: N802 - CEL's name
    """Return the month, 0 for January."""
    return _local(moment, zone).month - 1


@REGISTRY.add({"timestamp('2026-11-20T13:00:00Z').getDate()": 20})
def getDate(moment: datetime, zone: str = "UTC") -> int:  # noqa: N802 - CEL's name
    """Return the day of the month, from 1."""
    return _local(moment, zone).day


@REGISTRY.add({"timestamp('2026-11-20T13:00:00Z').getDayOfMonth()": 19})
def getDayOfMonth(moment: datetime, zone: str = "UTC") -> int:  # noqa: N802 - CEL's name
    """Return the day of the month, from 0."""
    return _local(moment, zone).day - 1


@REGISTRY.add({"timestamp('2026-11-20T13:00:00Z').getDayOfWeek()": 5})
def getDayOfWeek(moment: datetime, zone: str = "UTC") -> int:  # noqa: N802 - CEL's name
    """Return the day of the week, 0 for Sunday."""
    return _local(moment, zone).isoweekday() % 7


@REGISTRY.add({"timestamp('2026-01-02T13:00:00Z').getDayOfYear()": 1})
def getDayOfYear(moment: datetime, zone: str = "UTC") -> int:  # noqa: N802 - CEL's name
    """Return the day of the year, from 0."""
    return _local(moment, zone).timetuple().tm_yday - 1


@REGISTRY.add(
    {
        "timestamp('2026-11-20T13:00:00Z').getHours('Europe/Berlin')": 14,
        "duration('PT90M').getHours()": 1,
    }
)
def getHours(value: datetime | timedelta, zone: str = "UTC") -> int:  # noqa: N802 - CEL's name
    """Return the hour of a timestamp, or the whole hours of a duration."""
    return _whole(value, 3600) if isinstance(value, timedelta) else _local(value, zone).hour


@REGISTRY.add({"duration('PT90M').getMinutes()": 90})
def getMinutes(value: datetime | timedelta, zone: str = "UTC") -> int:  # noqa: N802 - CEL's name
    """Return the minute of a timestamp, or the whole minutes of a duration."""
    return _whole(value, 60) if isinstance(value, timedelta) else _local(value, zone).minute


@REGISTRY.add({"duration('PT90M').getSeconds()": 5400})
def getSeconds(value: datetime | timedelta, zone: str = "UTC") -> int:  # noqa: N802 - CEL's name
    """Return the second of a timestamp, or the whole seconds of a duration."""
    return _whole(value, 1) if isinstance(value, timedelta) else _local(value, zone).second


@REGISTRY.add({"timestamp('2026-11-20T13:00:00.123Z').getMilliseconds()": 123})
def getMilliseconds(value: datetime | timedelta, zone: str = "UTC") -> int:  # noqa: N802 - CEL's name
    """Return the milliseconds behind the second."""
    if isinstance(value, timedelta):
        return value.microseconds // 1000
    return _local(value, zone).microsecond // 1000


def _whole(span: timedelta, unit: int) -> int:
    return int(span.total_seconds() / unit)


def _local(moment: datetime, zone: str) -> datetime:
    place = _zone(zone)
    return _bounded(lambda: moment.astimezone(place))


def _read_timestamp(text: str) -> datetime:
    moment = _bounded(lambda: datetime.fromisoformat(text.upper()))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_short(text: str) -> timedelta:
    match = _SHORT.fullmatch(text) if len(text) <= 100 else None
    if match is None:
        raise FaultError("the text is no duration; write it as PT1H30M or 1h30m")
    parts = _SHORT_PART.findall(match["parts"])
    total = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return _bounded(lambda: timedelta(seconds=-total if match["sign"] == "-" else total))


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    offset = _OFFSET.fullmatch(name)
    try:
        if offset is None:
            return ZoneInfo(name)
        span = timedelta(hours=int(offset["hours"]), minutes=int(offset["minutes"]))
        return timezone(-span if offset["sign"] == "-" else span)
    except (OSError, LookupError, ValueError):
        raise FaultError("the time zone is unknown; write it as Europe/Berlin or +01:00") from None


def _bounded(make: Callable[[], T]) -> T:
    try:
        return make()
    except (OverflowError, OSError, ValueError):
        raise FaultError("the date or duration does not exist or is out of range") from None
