"""The one door to the present time, so that tests and `workflow try` can move it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


def _system_time() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system_time


def now() -> datetime:
    """Return the present, timezone-aware, in UTC."""
    return _source()


def is_virtual() -> bool:
    """Tell whether the time is one that a test or a trial moves."""
    return _source is not _system_time


@contextmanager
def use_clock(source: Callable[[], datetime]) -> Iterator[None]:
    """Take the time from `source` inside the block (for the whole process)."""
    global _source  # noqa: PLW0603 - one clock a process is the point
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before


def spoken(length: timedelta) -> str:
    """Return a length of time for people: '3 ms', '1.2 s', '4 min', '2 d 3 h'."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
