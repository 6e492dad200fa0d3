"""Walks the nodes without side effects in memory, up to the first that needs more."""

from dataclasses import dataclass
from time import monotonic

from workflows.engine.bounds import limit_of, too_many
from workflows.engine.call import call_node
from workflows.engine.cursor import Cursor
from workflows.engine.frames import Frames, enter, leave, locks_in, state_at, way_back
from workflows.nodes.outcomes import (
    Arrive,
    Compensate,
    Continue,
    Emit,
    Enter,
    Fail,
    Finish,
    Items,
    JSONObject,
    Slices,
    Split,
    Suspend,
)

MAX_NODES = 50
MAX_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Over:
    """The thread has gone through a port with nothing behind it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The segment is long enough: commit it and go on."""


Stop = Compensate | Emit | Split | Arrive | Suspend | Finish | Fail | Over | Cut


def walk(cursor: Cursor) -> Stop:
    """Move the cursor node by node until one asks for a commit, and return what it asked for."""
    deadline = monotonic() + MAX_SECONDS
    for _ in range(MAX_NODES):
        if cursor.executed >= limit_of(cursor.plan):
            return _too_many(cursor)
        inside = cursor.frames
        outcome = call_node(cursor.node, cursor)
        stop = follow(cursor, outcome) if isinstance(outcome, Continue | Enter) else outcome
        if stop is not None:
            return _too_many(cursor) if _is_too_wide(cursor, stop) else stop
        # What follows may take long: others must not wait for it to have a lock that was left.
        if monotonic() > deadline or _has_left_lock(inside, cursor.frames):
            break
    return Cut()


def follow(cursor: Cursor, outcome: Continue | Enter) -> Stop | None:
    """Take one step with the cursor; return why it cannot go on, if so."""
    given = cursor.asked if outcome.input is None else outcome.input
    changed = _changes(cursor.context, outcome.context)
    output = changed if outcome.output is None else outcome.output
    if isinstance(outcome, Continue):
        cursor.record(input=given, output=output, compensation=outcome.compensation)
    else:
        cursor.record(input=given, output=output, compensates=outcome.compensates)
    context = outcome.context
    if cursor.frames and state_at(cursor.frames, cursor.node_id) is not None:
        cursor.frames, context = _out_of_body(cursor, outcome)
    if isinstance(outcome, Enter):
        cursor.frames = enter(cursor.frames, cursor.node_id, outcome.state, outcome.lock)
    target = cursor.node.ports.get(outcome.port) or way_back(cursor.frames)
    if target is None:
        cursor.context = context
        cursor.seq += 1
        return Over()
    cursor.move_to(target, context)
    return None


def _has_left_lock(before: Frames, now: Frames) -> bool:
    return before is not now and len(locks_in(before)) > len(locks_in(now))


def _is_too_wide(cursor: Cursor, stop: Stop) -> bool:
    """Tell whether a batch or map cannot but pass the limit: each part executes a node at least."""
    if not isinstance(stop, Split) or not isinstance(stop.parts, Slices | Items):
        return False
    return cursor.executed + 1 + stop.parts.count > limit_of(cursor.plan)


def _too_many(cursor: Cursor) -> Fail:
    run_id, done = cursor.claim.run_id, cursor.executed
    return too_many(cursor.plan, run_id, done, at=cursor.node_id, walked=cursor.steps)


def _out_of_body(cursor: Cursor, outcome: Continue | Enter) -> tuple[Frames, JSONObject]:
    """Leave the body that the thread is back from; one that is gone through again is not left."""
    if isinstance(outcome, Enter):
        return cursor.frames[:-1], outcome.context
    return leave(cursor.plan, cursor.frames, outcome.context)


def _changes(before: JSONObject, after: JSONObject) -> JSONObject:
    """Return the top-level keys that a step has set; contexts are copied on write."""
    return {key: value for key, value in after.items() if before.get(key, _NEVER) is not value}


_NEVER = object()
