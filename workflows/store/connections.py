"""Database connections that something has left in the midst of its work, which nobody can trust."""

from collections.abc import Collection
from contextlib import suppress
from typing import Any

import psycopg
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    OperationalError,
    connections,
)
from psycopg.pq import TransactionStatus

#: Classes of SQLSTATE: no connection, and the server shuts down, has crashed or is not up yet.
_AWAY = ("08", "57P")


def in_transaction() -> frozenset[str]:
    """Return the aliases of this thread's connections that are inside a transaction."""
    opened = connections.all(initialized_only=True)
    return frozenset(each.alias for each in opened if each.in_atomic_block)


def drop_all(*, but: Collection[str] = ()) -> None:
    """Forget this thread's connections, except `but`; what was not committed is rolled back.

    For code that was struck at any point, in the midst of Django's own work on a transaction as
    well: what Django believes of a connection, and what it is, may differ in any way.
    """
    for connection in connections.all(initialized_only=True):
        if connection.alias not in but:
            drop(connection)


def is_stuck(connection: Any) -> bool:
    """Tell whether a connection between two tasks is still inside a transaction, or begins one.

    It would refuse everything, or commit nothing of what it is given.
    """
    if connection.in_atomic_block or connection.closed_in_transaction:
        return True
    raw = connection.connection
    if raw is None:
        return False
    info = getattr(raw, "info", None)
    if info is None:
        return bool(raw.in_transaction)
    return info.transaction_status != TransactionStatus.IDLE or not raw.autocommit


def is_spoilt() -> bool:
    """Tell whether the open transaction can only be rolled back, as Django or the server says.

    Django does not hear of an error that was caught before it left a block of its own.
    """
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    info = getattr(wrapper.connection, "info", None)
    is_refused = info is not None and info.transaction_status == TransactionStatus.INERROR
    return is_refused or bool(wrapper.get_rollback())


def was_lost(error: Exception) -> bool:
    """Tell whether a connection was gone, outside any transaction: what failed can be repeated."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.in_atomic_block:
        return False
    cause = error.__cause__
    if isinstance(cause, psycopg.Error):
        # A server on its way out says so; one that has crashed says nothing.
        is_gone = type(error) in {DatabaseError, OperationalError} and cause.sqlstate is None
        return is_gone or (cause.sqlstate or "").startswith(_AWAY)
    return isinstance(error, InterfaceError)


def renew() -> None:
    """Close this thread's connection; its next use makes a new one."""
    connections[DEFAULT_DB_ALIAS].close()


def check() -> None:
    """Ask the database for an answer. Raises what its driver raises when there is none."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")


def drop(connection: Any) -> None:
    """Forget a connection with all that Django believes of it; the next use makes a new one."""
    is_memory = getattr(connection, "is_in_memory_db", None)
    if is_memory is not None and is_memory():
        return  # it is the database
    if connection.connection is not None:
        if connection.vendor == "sqlite":
            # It stays open, with its lock, for as long as a cursor of it is anywhere.
            with suppress(Exception):
                connection.connection.rollback()
        with suppress(Exception):
            connection.connection.close()
        with suppress(Exception):
            connection._close()  # noqa: SLF001 - gives its place in a pool back, whatever it thinks
    del connections[connection.alias]
