"""Makes a verb again that the database has stopped so that another could go first."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 5
#: Deadlock found, serialization failed: nothing was written, and nothing was wrong with it.
_STOPPED = frozenset({"40P01", "40001"})


def made_again(verb: Callable[P, T]) -> Callable[P, T]:
    """Let a verb that owns its transaction run up to five times when a deadlock stops it.

    Inside the caller's transaction it runs once: what the caller did before is lost as well, and
    only the caller can do that again.
    """

    @wraps(verb)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(ATTEMPTS - 1):
            try:
                return verb(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or not _was_stopped(error):
                    raise
        return verb(*args, **kwargs)

    return wrapped


def _was_stopped(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _STOPPED
