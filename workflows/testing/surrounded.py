"""Makes a transaction around a test's work invisible: what is inside of it acts as at a commit.

Django's TestCase keeps a whole test inside one transaction, in which nothing is ever committed and
no `on_commit` is ever called. Here the outermost transactions within it count as commits.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger("workflows.testing")


class Commits:
    """The commits of this process, which are savepoints to Django.

    `guard` is asked before each: what it raises takes the place of the commit, and from then on
    the process is dead, until it is buried.
    """

    def __init__(self, connection: BaseDatabaseWrapper, guard: Callable[[], None]) -> None:
        self.connection = connection
        self.guard = guard
        self._depth = len(connection.savepoint_ids)
        self._kept = len(connection.run_on_commit)  # of the surrounding one: not ours to call
        self._died_at: str | None = None

    def savepoint_commit(self, sid: str) -> None:
        if self._died_at is None and self._is_outermost():
            try:
                self.guard()
            except BaseException:
                self.connection.savepoint_rollback(sid)
                self._died_at = sid
                raise
        BaseDatabaseWrapper.savepoint_commit(self.connection, sid)
        self._act()

    def on_commit(self, func: Callable[[], Any], robust: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's
        BaseDatabaseWrapper.on_commit(self.connection, func, robust)
        self._act()

    def bury(self) -> None:
        """Drop what was written after a death: a process that was killed does not clear up."""
        if self._died_at is not None:
            self.connection.savepoint_rollback(self._died_at)
            BaseDatabaseWrapper.savepoint_commit(self.connection, self._died_at)
            del self.connection.run_on_commit[self._kept :]
            self._died_at = None

    def _is_outermost(self) -> bool:
        return len(self.connection.savepoint_ids) == self._depth

    def _act(self) -> None:
        """Call what was to be called after the commit that has just been."""
        waiting: list[Any] = self.connection.run_on_commit
        while self._died_at is None and self._is_outermost() and len(waiting) > self._kept:
            _, function, is_robust = waiting.pop(self._kept)
            try:
                function()
            except Exception:
                if not is_robust:
                    raise
                logger.exception("%s after a commit failed", function)
            waiting = self.connection.run_on_commit


@contextmanager
def surrounded(guard: Callable[[], None]) -> Iterator[Commits]:
    """Take the transaction that is open now for none at all, inside the block."""
    connection = connections[DEFAULT_DB_ALIAS]
    commits = Commits(connection, guard)
    # On the object, over the methods of its class.
    vars(connection).update(savepoint_commit=commits.savepoint_commit, on_commit=commits.on_commit)
    try:
        yield commits
    finally:
        del vars(connection)["savepoint_commit"], vars(connection)["on_commit"]
