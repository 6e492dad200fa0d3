"""The hot statements as files, and the way to run one without Django's per-query work."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

_FOLDER = Path(__file__).parent / "sql"


@cache
def statement(name: str) -> str:
    """Return the SQL in `sql/<name>.sql`."""
    return (_FOLDER / f"{name}.sql").read_text()


def has_fused_statements() -> bool:
    """Tell whether one statement can change, record and claim (PostgreSQL)."""
    return connection.vendor == "postgresql"


def is_its_own_commit() -> bool:
    """Tell whether a hot statement run now is a transaction by itself."""
    return has_fused_statements() and not connection.in_atomic_block


def run(name: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a hot statement on PostgreSQL and return its rows.

    It is sent with server-side parameters and prepared, which Django's own cursor is not: the
    same few statements make up nearly all of the engine's traffic.
    """
    connection.ensure_connection()
    assert isinstance(connection.connection, psycopg.Connection)  # noqa: S101 - narrows the type
    with psycopg.Cursor(connection.connection) as cursor, connection.wrap_database_errors:
        cursor.execute(statement(name).encode(), values, prepare=True)
        return cursor.fetchall()


def parse(text: str | None) -> Any:
    """Return the value of a JSON column that was read as text."""
    return None if text is None else json.loads(text)
