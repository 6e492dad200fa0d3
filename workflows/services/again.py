"""Makes again what the database has stopped, or was not there for."""

from collections.abc import Callable
from functools import wraps
from threading import Event
from time import monotonic
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from workflows import conf
from workflows.store import connections

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 5
_PAUSE = 0.2  # seconds between two looks whether the database is back
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


def outlasting(write: Callable[[], T]) -> T:
    """Make a write again on a new connection when the database has gone away meanwhile.

    For what a worker holds a lease on: it goes on trying for as long as a lease lasts, so that work
    is not done again because the database was restarted under it. Whether a write that was broken
    off was committed is not known; its fence has moved on then, and it changes nothing.
    """
    until = monotonic() + conf.settings().lease_seconds
    while True:
        try:
            return write()
        except (DatabaseError, InterfaceError) as error:
            if not connections.was_lost(error) or monotonic() > until:
                raise
        connections.renew()
        Event().wait(_PAUSE)


def _was_stopped(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _STOPPED
