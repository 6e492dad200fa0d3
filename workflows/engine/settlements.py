"""The settlements: what becomes of a thread when no command of its own is needed."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from operator import eq
from typing import Any

from workflows import clock, conf
from workflows.absent import ABSENT
from workflows.compiler.plan import Plan, PlanNode
from workflows.context.paths import parse_path, read
from workflows.context.values import equal
from workflows.engine.cursor import Cursor
from workflows.engine.segment import Over
from workflows.nodes.base import ANYTHING
from workflows.nodes.outcomes import Fail, Finish, JSONObject
from workflows.states import ThreadState
from workflows.store import history
from workflows.store.leases import lease_end
from workflows.store.rows import Claim, GroupInfo, HistoryRow, Settlement


def message_end() -> datetime:
    """Return until when a message sent now counts as on its way."""
    return clock.now() + timedelta(seconds=conf.settings().message_seconds)


def advance(cursor: Cursor) -> Settlement:
    """Commit the steps and keep the thread in hand: the claim of its next step."""
    return cursor.settled(ThreadState.RUNNING, "advance", attempt=1, lease_until=lease_end())


def wait_turn(cursor: Cursor, *, queue: str | None = None, **values: Any) -> Settlement:
    """Commit the steps and let the thread be sent again, perhaps on another queue."""
    fields: dict[str, Any] = {"lease_until": message_end(), "queue": queue or cursor.claim.queue}
    return cursor.settled(ThreadState.READY, "wait_turn", **{**fields, **values})


def hand_back(claim: Claim) -> Settlement:
    """Give an unstarted thread back: to its group's queue, or ready; the attempt does not count."""
    in_group = claim.group_id is not None and claim.resume is None
    return Settlement(
        claim=claim,
        state=ThreadState.QUEUED if in_group else ThreadState.READY,
        event="hand_back" if in_group else "wait_turn",
        seq=claim.seq,
        node=claim.node,
        came_from=claim.came_from,
        context=None,  # stays as it is
        moved_at=clock.now(),
        attempt=claim.attempt - 1,
        queue=claim.queue,
        priority=claim.priority,
        wake_at=claim.queued_at,
        lease_until=None if in_group else message_end(),
        is_unstarted=True,
    )


def put_off(claim: Claim, pause: timedelta) -> Settlement:
    """Give an unstarted thread back for a while, ready also in a group; no attempt is counted."""
    given = replace(hand_back(claim), state=ThreadState.READY, event="wait_turn")
    return replace(given, wake_at=clock.now() + pause, lease_until=None)


def wrong_join(cursor: Cursor) -> Fail | None:
    """Return the failure of a thread that stands at a join of others; None at that of its group."""
    split = cursor.plan.nodes[cursor.group.node] if cursor.group is not None else None
    if split is None:
        message = f"The thread arrived at {cursor.node_id!r}, and no split is around it."
    elif split.join != cursor.node_id:
        where = f"joined at {split.join!r}" if split.join else "not joined"
        message = f"A thread of {split.id!r} arrived at {cursor.node_id!r}; its parts are {where}."
    else:
        return None
    return Fail("wrong_join", message, fatal=True)


def arrive(cursor: Cursor) -> Settlement:
    """The thread is over: it has reached the join of its group. Its row is the arrival."""
    return _over(cursor, ThreadState.ARRIVED, "arrive")


def end(cursor: Cursor, stop: Over | Finish) -> Settlement:
    """The thread of a group is over without a join."""
    if isinstance(stop, Finish):
        record_end(cursor, stop)
    return _over(cursor, ThreadState.ENDED, "end")


def record_end(cursor: Cursor, finish: Finish) -> None:
    """Note an end in the history: the last one noted there is the run's output."""
    cursor.record(
        is_end=True,
        output={
            "output": finish.output,
            "result": finish.result,
            "reason": finish.reason,
            "warnings": list(finish.warnings),
        },
    )
    cursor.context = finish.output
    cursor.seq += 1


def contribution(
    plan: Plan,
    group: GroupInfo,
    start: JSONObject,
    context: JSONObject,
    *,
    thread_id: int,
    walked: Iterable[HistoryRow] = (),
) -> JSONObject | None:
    """Return what a part leaves at the merge path, wrapped, or None when it changed nothing.

    A slice is compared with what stood before the split: its part of a list is not the list. An
    item's result may equal what stood there before: then the nodes that its thread has been at
    (`walked` since its last commit) tell whether it was set at all.
    """
    if not group.merge:
        return None
    is_item = group.parts["parts"] == "items"
    before = read(start if is_item else group.base, group.merge)
    value = read(context, group.merge)
    if value is ABSENT:
        return None
    if before is not ABSENT and equal(value, before):
        if not is_item:
            return None
        done = {*(step.node for step in walked), *history.counts_by_node(thread_id=thread_id)}
        if not any(_sets(plan.nodes[node], group.merge) for node in done):
            return None
    return {"value": value}


def _sets(node: PlanNode, path: str) -> bool:
    """Tell whether a node sets something at the path, above it or below it."""
    wanted = parse_path(path)
    paths = node.kind.sets(node.config)
    targets = [parse_path(target) for target in paths if target != ANYTHING]
    return ANYTHING in paths or any(all(map(eq, wanted, target)) for target in targets)


def _over(cursor: Cursor, state: ThreadState, event: str) -> Settlement:
    group = cursor.group
    if group is None:
        message = "only a thread of a group can be over without ending its run"
        raise AssertionError(message)
    is_joined = group.merge is not None or event == "arrive"
    return cursor.settled(
        state,
        event,
        # A part without a join may turn out to be the run's output; any other has given its value.
        context=None if is_joined else cursor.context,
        contribution=contribution(
            cursor.plan,
            group,
            cursor.start_context,
            cursor.context,
            thread_id=cursor.claim.thread_id,
            walked=cursor.steps,
        ),
    )
