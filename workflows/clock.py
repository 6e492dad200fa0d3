"""The one door to the present time, so that tests and `workflow try` can move it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


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
