"""The hot statements as files, and the way to run one without Django's per-query work."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, cast
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

logger = logging.getLogger("workflows.store")

_FOLDER = Path(__file__).parent / "sql"
_PARAMETER = re.compile(r"%\((\w+)\)s")


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

    The same few statements make up nearly all of the engine's traffic. Prepared once a connection
    and sent as text straight to libpq, one costs this process a third less than by a cursor.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    raw = _raw(wrapper)
    with wrapper.wrap_database_errors:
        if wrapper.in_atomic_block or raw.prepare_threshold is None:
            return _by_cursor(raw, name, values)
        texts = _prepare(raw, name, values)
        result = raw.pgconn.exec_prepared(name.encode(), texts)
        return _rows(raw, _checked(raw, result))


def run_each(name: str, many: Sequence[Mapping[str, Any]]) -> list[list[tuple[Any, ...]]]:
    """Run a hot statement for each of `many`, each by a commit of its own, and return their rows.

    All are on their way before the first has answered: neither side waits for the other between
    two of them, nor does a commit for anything but the disk. One that is refused for its values
    changes nothing, has no rows and a line in the log; the others do not mind.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    raw = _raw(wrapper)
    if len(many) == 1 or wrapper.in_atomic_block or raw.prepare_threshold is None:
        return [run(name, values) for values in many]
    with wrapper.wrap_database_errors:
        prepared = [_prepare(raw, name, values) for values in many]
        try:
            results = _pipelined(raw, name, prepared)
        except BaseException:
            raw.close()  # nobody may take the answers that are still to come for their own
            raise
        return [_rows_or_none(raw, result) for result in results]


def _raw(wrapper: Any) -> "psycopg.Connection[Any]":
    wrapper.ensure_connection()
    raw = wrapper.connection
    assert isinstance(raw, psycopg.Connection)  # noqa: S101 - narrows the type
    return raw


def _by_cursor(raw: Any, name: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement inside a transaction, or where a pooler may be in between.

    Only a cursor begins the transaction that psycopg has put off until it is needed.
    """
    may_prepare = raw.prepare_threshold is not None
    rows: list[tuple[Any, ...]] = raw.execute(
        statement(name).encode(), values, prepare=may_prepare
    ).fetchall()
    return rows


def _prepare(raw: Any, name: str, values: Mapping[str, Any]) -> list[bytes]:
    """Let the connection know the statement, and return its parameters."""
    sql, names = _numbered(name)
    if name not in (prepared := _prepared.setdefault(raw, set())):
        _checked(raw, raw.pgconn.prepare(name.encode(), sql))
        prepared.add(name)
    # psycopg's hints leave out that None is NULL here.
    return cast("list[bytes]", [_text(values[key]) for key in names])


def _pipelined(raw: Any, name: str, many: Sequence[list[bytes]]) -> list[PGresult]:
    """Send a statement with each list of parameters, and return the results in order."""
    server: PGconn = raw.pgconn
    server.nonblocking = 0  # their answers are short: neither side can wait for the other to read
    server.enter_pipeline_mode()
    for texts in many:
        server.send_query_prepared(name.encode(), texts)
        server.pipeline_sync()  # the end of a transaction, whatever became of it
    results = [_next_result(raw) for _ in many]
    server.exit_pipeline_mode()
    server.nonblocking = 1
    return results


def _next_result(raw: Any) -> PGresult:
    """Return the next result of a pipeline, past what stands between it and the one behind."""
    result: PGresult | None = raw.pgconn.get_result()
    if result is None:
        raise psycopg.OperationalError(raw.pgconn.get_error_message())
    while (end := raw.pgconn.get_result()) is None or end.status != ExecStatus.PIPELINE_SYNC:
        if end is None and raw.pgconn.status == ConnStatus.BAD:
            raise error_from_result(result, encoding=raw.info.encoding)
    return result


def _rows_or_none(raw: Any, result: PGresult) -> list[tuple[Any, ...]]:
    try:
        return _rows(raw, _checked(raw, result))
    except psycopg.DataError:
        logger.exception("a step could not be recorded")
        return []


#: The statements that each connection knows by name; a new connection knows none.
_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


@cache
def _numbered(name: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a statement with its parameters as `$n`, and their names in this order."""
    places: dict[str, str] = {}
    sql = _PARAMETER.sub(
        lambda found: places.setdefault(found[1], f"${len(places) + 1}"), statement(name)
    )
    return sql.encode(), tuple(places)


def _text(value: Any) -> bytes | None:
    """Return a parameter in PostgreSQL's text format; of these types only."""
    match value:
        case None:
            return None
        case str():
            if "\0" in value:
                message = "PostgreSQL cannot keep NUL characters"
                raise psycopg.DataError(message)
            return value.encode()
        case datetime():
            return value.isoformat().encode()
        case bool() | int() | UUID():
            return str(value).encode()
        case _:
            message = f"a hot statement takes no {type(value).__name__}"
            raise TypeError(message)


def _checked(raw: Any, result: PGresult) -> PGresult:
    if result.status not in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}:
        raise error_from_result(result, encoding=raw.info.encoding)
    return result


def _rows(raw: Any, result: PGresult) -> list[tuple[Any, ...]]:
    if not result.ntuples:
        return []
    loader = Transformer(raw)
    loader.set_pgresult(result)
    return loader.load_rows(0, result.ntuples, tuple)


def parse(text: str | None) -> Any:
    """Return the value of a JSON column that was read as text."""
    return None if text is None else json.loads(text)
