"""A database in memory that takes the place of the default one inside a block."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from workflows import contents
from workflows.services.pace import forget_paces
from workflows.store.definitions import known_version
from workflows.store.runs import forget_infos

_SETTINGS: dict[str, Any] = {
    DEFAULT_DB_ALIAS: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
}


@contextmanager
def throw_away_database() -> Iterator[None]:
    """Give this thread an empty SQLite in memory with all tables; the real one is not touched."""
    before = connections[DEFAULT_DB_ALIAS]
    image = _empty_image()
    connection = _connect(image)
    connections[DEFAULT_DB_ALIAS] = connection
    _forget_rows()
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = before
        _forget_rows()
        _discard(connection)


def _forget_rows() -> None:
    """Forget what this process keeps by ids of rows and names of nodes: they mean others there."""
    known_version.cache_clear()
    forget_paces()
    forget_infos()
    contents.forget()


def _connect(image: bytes | None = None) -> BaseDatabaseWrapper:
    connection = ConnectionHandler(_SETTINGS)[DEFAULT_DB_ALIAS]
    connection.connect()
    if image is not None:
        _raw(connection).deserialize(image)
    return connection


@cache
def _empty_image() -> bytes:
    """Return a database with every table and no row: made from the models, without migrations."""
    connection = _connect()
    connections_before = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = connection
    try:
        with connection.schema_editor() as editor:
            for model in apps.get_models():
                if model._meta.managed and not model._meta.proxy:  # noqa: SLF001 - Django's name
                    editor.create_model(model)
        return _raw(connection).serialize()
    finally:
        connections[DEFAULT_DB_ALIAS] = connections_before
        _discard(connection)


def _raw(connection: BaseDatabaseWrapper) -> sqlite3.Connection:
    assert isinstance(connection.connection, sqlite3.Connection)  # noqa: S101 - narrows the type
    return connection.connection


def _discard(connection: BaseDatabaseWrapper) -> None:
    # Django never closes a database in memory, since that is its end; here it is wanted.
    _raw(connection).close()
    connection.connection = None
