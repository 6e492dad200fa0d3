"""Walks the nodes without side effects in memory, up to the first that needs more."""

from collections import Counter
from dataclasses import dataclass
from time import monotonic

from workflows.engine.call import call_node
from workflows.engine.cursor import Cursor
from workflows.engine.frames import Frames, enter, leave, state_at, way_back
from workflows.nodes.outcomes import (
    Arrive,
    Continue,
    Emit,
    Enter,
    Fail,
    Finish,
    JSONObject,
    Split,
    Suspend,
)
from workflows.store import history

MAX_NODES = 50
MAX_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Over:
    """The thread has gone through a port with nothing behind it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The segment is long enough: commit it and go on."""


Stop = Emit | Split | Arrive | Suspend | Finish | Fail | Over | Cut


def walk(cursor: Cursor) -> Stop:
    """Move the cursor node by node until one asks for a commit, and return what it asked for."""
    deadline = monotonic() + MAX_SECONDS
    for _ in range(MAX_NODES):
        outcome = call_node(cursor.node, cursor)
        stop = follow(cursor, outcome) if isinstance(outcome, Continue | Enter) else outcome
        if stop is not None:
            return stop
        if monotonic() > deadline:
            break
    return Cut()


def follow(cursor: Cursor, outcome: Continue | Enter) -> Stop | None:
    """Take one step with the cursor; return why it cannot go on, if so."""
    limit = cursor.plan.definition.limits.node_executions
    if cursor.seq >= limit:
        return Fail("too_many_nodes", _too_many(cursor, limit), fatal=True)
    cursor.record(
        input=cursor.asked if outcome.input is None else outcome.input,
        output=_changes(cursor.context, outcome.context),
    )
    context = outcome.context
    if cursor.frames and state_at(cursor.frames, cursor.node_id) is not None:
        cursor.frames, context = _out_of_body(cursor, outcome)
    if isinstance(outcome, Enter):
        cursor.frames = enter(cursor.frames, cursor.node_id, outcome.state)
    target = cursor.node.ports.get(outcome.port) or way_back(cursor.frames)
    if target is None:
        cursor.context = context
        cursor.seq += 1
        return Over()
    cursor.move_to(target, context)
    return None


def _out_of_body(cursor: Cursor, outcome: Continue | Enter) -> tuple[Frames, JSONObject]:
    """Leave the body that the thread is back from; one that is gone through again is not left."""
    if isinstance(outcome, Enter):
        return cursor.frames[:-1], outcome.context
    return leave(cursor.plan, cursor.frames, outcome.context)


def _changes(before: JSONObject, after: JSONObject) -> JSONObject:
    """Return the top-level keys that a step has set; contexts are copied on write."""
    return {key: value for key, value in after.items() if before.get(key, _NEVER) is not value}


_NEVER = object()


def _too_many(cursor: Cursor, limit: int) -> str:
    return (
        f"The thread has executed {limit} nodes, the limit of this workflow "
        f"(limits.node_executions), most of them at {_busiest(cursor)!r}; it was at "
        f"{cursor.node_id!r}."
    )


def _busiest(cursor: Cursor) -> str:
    """Return the node that the thread has executed most often."""
    counts = Counter(history.counts_by_node(cursor.claim.thread_id))
    counts.update(step.node for step in cursor.steps)
    return counts.most_common(1)[0][0]
