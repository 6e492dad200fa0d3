"""A step sends an event: both are written together, with whatever else that commit records."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from workflows import clock, conf
from workflows.context.values import digest
from workflows.engine.command import Command
from workflows.engine.cursor import Cursor
from workflows.engine.hints import EventEmitted, Hint
from workflows.engine.segment import Cut, Stop, follow
from workflows.nodes.outcomes import Continue, Emit, Fail
from workflows.store import events, threads
from workflows.store.rows import Settlement

Interpret = Callable[[Cursor, Stop], Settlement | Command]


def prepare(cursor: Cursor, emit: Emit, interpret: Interpret) -> Settlement | Command:
    """Take the step, and return what writes it together with the event.

    The thread stays in hand where it goes on; where nothing follows, its end is in that commit too.
    """
    fields = _fields(cursor, emit)
    stop = follow(cursor, Continue(emit.context, emit.port, emit.input)) or Cut()
    leg = interpret(cursor, stop)
    if isinstance(stop, Fail):  # the step was not taken
        return leg
    kept = leg if isinstance(leg, Settlement) else leg.settlement
    return Command(lambda: _apply(leg, fields), settlement=kept)


def _apply(leg: Settlement | Command, fields: dict[str, Any]) -> list[Hint] | None:
    """Write step and event; None when the claim was lost, and the event is not sent either."""
    hints: list[Hint] | None
    if isinstance(leg, Command):
        hints = leg.apply()
    else:
        settled, _ = threads.settle([leg], None)
        hints = [] if settled else None
    if hints is None:
        return None
    # Matched in a transaction of its own: the lock on its key comes before every other lock.
    event, is_new = events.insert(**fields)
    return [*hints, EventEmitted(event.pk)] if is_new else hints


def _fields(cursor: Cursor, emit: Emit) -> dict[str, Any]:
    life = emit.ttl.total_seconds() if emit.ttl is not None else conf.settings().event_ttl_seconds
    now = clock.now()
    return {
        "source": emit.source or cursor.run.workflow,
        "external_id": emit.id or cursor.idempotency_key,
        "type": emit.type,
        "key": emit.key,
        "data": emit.data,
        "digest": digest(emit.data),
        "deliver": emit.deliver,
        "time": now,
        "expires_at": now + timedelta(seconds=life),
        "delivered_at": None,
    }
