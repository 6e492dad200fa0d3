"""Settlements and history as the hot statements take them: plain values, or records in JSON."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from workflows import contents
from workflows.store.rows import HistoryRow, Settlement


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


_encoder = json.JSONEncoder(default=_as_text)  # kept: json.dumps() makes one at every call


def encode_all(rows: Sequence[dict[str, Any]]) -> str:
    """Return records as one JSON text."""
    return _encoder.encode(rows)


def encode_settlement(item: Settlement) -> str:
    """Return what a settlement sets as a record; a large context is kept outside of it."""
    row = row_of(item)
    text = _encoder.encode(row)
    if item.is_unstarted or contents.is_small(text, item.context):
        return text
    return _encoder.encode({**row, "context": contents.packed(item.context)})


def row_of(item: Settlement) -> dict[str, Any]:
    """Return what a settlement sets, and the claim that it is held to."""
    return {
        "id": item.claim.thread_id,
        "seq": item.claim.seq,
        "fence": item.claim.fence,
        "new_seq": item.seq,
        "is_over": item.is_over,
        "is_unstarted": item.is_unstarted,
        **columns_of(item),
    }


def columns_of(item: Settlement) -> dict[str, Any]:
    """Return the columns of the thread that a settlement sets."""
    return {
        "state": item.state,
        "node": item.node,
        "came_from": item.came_from,
        # Of an unstarted thread it stays as it is; here it may be but a reference.
        "context": None if item.is_unstarted else item.context,
        "contribution": item.contribution,
        "frames": item.frames,
        "attempt": item.attempt,
        "queue": item.queue or item.claim.queue,
        "priority": item.priority,
        "wake_at": item.wake_at or item.moved_at,
        "lease_until": item.lease_until,
        "moved_at": item.moved_at,
    }


def history_fields(thread_id: int, row: HistoryRow) -> dict[str, Any]:
    """Return the columns of a history row."""
    return {
        "thread_id": thread_id,
        "seq": row.seq,
        "attempt": row.attempt,
        "node": row.node,
        "kind": row.kind,
        "came_from": row.came_from,
        "status": row.status,
        "input": row.input,
        "output": row.output,
        "error": row.error,
        "is_end": row.is_end,
        "compensation": row.compensation,
        "compensates": row.compensates,
        "queued_at": row.queued_at,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
    }


def history_records(rows: Sequence[HistoryRow], thread_id: int) -> str:
    """Return the history rows of a thread as one JSON text."""
    return _encoder.encode([history_fields(thread_id, row) for row in rows])


def as_json(value: Any) -> str | None:
    """Return a value as JSON text, and None as it is."""
    return None if value is None else json.dumps(value)
