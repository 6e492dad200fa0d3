"""A thread falls asleep, or takes the event that came before it could."""

from datetime import datetime
from typing import Any

from workflows import clock, conf
from workflows.engine.call import node_call
from workflows.engine.cursor import Cursor
from workflows.engine.hints import EventLeft, Hint, ThreadSlept
from workflows.engine.matching import Early, early_events
from workflows.engine.waking import woken_by
from workflows.models import Suspension
from workflows.nodes.outcomes import Suspend
from workflows.nodes.registry import are_plugin_hooks_on
from workflows.nodes.suspensions import ActivityCall, EventWait, PersonWait, TimerWait, Wait
from workflows.states import ThreadState
from workflows.store import candidates, runs, suspensions, threads


def apply(cursor: Cursor, suspend: Suspend) -> list[Hint] | None:
    """Open the suspension in the transaction that puts the thread to sleep; None if too late."""
    wait = suspend.wait
    if isinstance(wait, ActivityCall):
        message = "an activity is kept in the thread's own row"
        raise TypeError(message)
    if isinstance(wait, EventWait):
        suspensions.lock_correlation(wait.type, wait.key)
    # Whoever stops the run must see the wait that is opened here, or be seen.
    if runs.lock_run(cursor.claim.run_id) is None:
        return None
    # It wakes where it belongs, wherever its last activity ran.
    queue = cursor.group.queue if cursor.group is not None else conf.settings().default_queue
    settled, _ = threads.settle(
        [cursor.settled(ThreadState.SUSPENDED, "suspend", queue=queue)], None
    )
    if not settled:
        return None
    opened = suspensions.insert(
        run_id=cursor.claim.run_id,
        thread_id=cursor.claim.thread_id,
        seq=cursor.seq,
        node=cursor.node_id,
        **_fields(wait),
    )
    if isinstance(wait, PersonWait) and are_plugin_hooks_on():
        cursor.node.kind.on_suspended(str(opened.pk), node_call(cursor.node, cursor), wait)
    early = early_events(opened, cursor.context) if isinstance(wait, EventWait) else Early()
    if early.taken and len(early.taken) >= opened.collect:
        return woken_by(opened, "event", early.taken if opened.collect > 1 else early.taken[0])
    slept = ThreadSlept(cursor.claim.run_id)
    return [slept, *_leave(opened, early.left)] if early.left else [slept]


def _leave(opened: Suspension, event_ids: list[int]) -> list[Hint]:
    """Leave events that the wait has still to be asked about for another transaction."""
    run_id = opened.run_id
    candidates.insert(
        candidates.Pair(event_id, opened.pk, is_early=True, run_id=run_id) for event_id in event_ids
    )
    first = candidates.lease_first(opened.event_type, opened.event_key)
    return [EventLeft(first)] if first is not None else []


def _fields(wait: Wait) -> dict[str, Any]:
    match wait:
        case TimerWait():
            return {"kind": "timer", "wake_at": _timer_end(wait)}
        case EventWait():
            return {
                "kind": "event",
                "event_type": wait.type,
                "event_key": wait.key,
                "event_filter": wait.filter or "",
                "collect": wait.collect,
                "wake_at": clock.now() + wait.timeout if wait.timeout is not None else None,
            }
        case PersonWait():
            due = clock.now() + wait.due if wait.due is not None else None
            return {"kind": "person", "wake_at": due}


def _timer_end(wait: TimerWait) -> datetime:
    if wait.until is not None:
        return wait.until
    return clock.now() + wait.after if wait.after is not None else clock.now()
