"""A thread falls asleep, or takes the event that came before it could."""

from datetime import datetime, timedelta
from typing import Any

from workflows import clock, conf
from workflows.engine.call import node_call
from workflows.engine.children import begin_child, describe
from workflows.engine.cursor import Cursor
from workflows.engine.hints import EventLeft, Hint, TaskUnsent, ThreadSlept
from workflows.engine.locking import ask, fields_of, let_go_asleep, lock_names_of
from workflows.engine.matching import early_events
from workflows.engine.retries import attempt_to_sleep
from workflows.engine.waking import woken_by
from workflows.models import Run, Suspension
from workflows.nodes.outcomes import Suspend
from workflows.nodes.registry import are_plugin_hooks_on
from workflows.nodes.suspensions import (
    ActivityCall,
    ChildWait,
    EventWait,
    LockAgainWait,
    LockWait,
    PersonWait,
    TaskWait,
    TimerWait,
    Wait,
)
from workflows.states import ThreadState
from workflows.store import candidates, questions, runs, suspensions, threads


def apply(cursor: Cursor, suspend: Suspend) -> list[Hint] | None:
    """Open the suspension in the transaction that puts the thread to sleep; None if too late."""
    wait = suspend.wait
    if isinstance(wait, ActivityCall):
        message = "an activity is kept in the thread's own row"
        raise TypeError(message)
    if isinstance(wait, EventWait):
        suspensions.lock_correlation(wait.type, wait.key)
    if isinstance(wait, LockWait | LockAgainWait):
        lock_names_of(wait)
    # Whoever stops the run must see the wait that is opened here, or be seen.
    run = runs.lock_run(cursor.claim.run_id)
    if run is None:
        return None
    # The queue is a run's row too, the one at the top of the family: it comes before the thread.
    queued = wait if isinstance(wait, PersonWait) and wait.is_exclusive else None
    family = questions.lock_queue(run) if queued else None
    # It wakes where it belongs, wherever its last activity ran.
    queue = cursor.group.queue if cursor.group is not None else conf.settings().default_queue
    asleep = cursor.settled(
        ThreadState.SUSPENDED, "suspend", queue=queue, context=cursor.own_context
    )
    settled, _ = threads.settle([asleep], None)
    if not settled:
        return None
    fields = {
        "run_id": cursor.claim.run_id,
        "thread_id": cursor.claim.thread_id,
        "seq": cursor.seq,
        "attempt": attempt_to_sleep(cursor),
        "node": cursor.node_id,
        "input": suspend.input,
        **_fields(wait, cursor),
        **(questions.take_place(family, queued.due) if queued and family else {}),
    }
    opened = suspensions.insert(**fields)
    return let_go_asleep(cursor) + _begin(opened, wait, cursor, run)


def _begin(  # noqa: PLR0911 - one case a wait
    opened: Suspension, wait: Wait, cursor: Cursor, run: Run
) -> list[Hint]:
    """Do what the wait needs besides its row, and return what to say after the commit."""
    slept = ThreadSlept(run.pk)
    match wait:
        case ChildWait():
            child, hints = begin_child(run, cursor, wait, opened)
            if wait.is_detached:
                return hints + woken_by(opened, "child", describe(child, child.version.number))
            return [*hints, slept]
        case EventWait():
            return _take_early(opened, cursor) or [slept]
        case TaskWait():
            return [TaskUnsent(opened.pk), slept]
        case LockWait() | LockAgainWait():
            return ask(opened)
        case PersonWait():
            _ask(opened, wait, cursor)
        case TimerWait():
            pass
    return [slept]


def _ask(opened: Suspension, wait: PersonWait, cursor: Cursor) -> None:
    """Write down whom the engine asks, or let the plug-in that asks do so; not before its turn."""
    if wait.prompt:
        questions.name_addressees(opened, wait.data["to"])
    elif opened.is_asked and are_plugin_hooks_on():
        cursor.node.kind.on_suspended(str(opened.pk), node_call(cursor.node, cursor), wait)


def _take_early(opened: Suspension, cursor: Cursor) -> list[Hint]:
    """Wake the thread with events that came before it waited; leave those it was not asked about.

    Empty when there is nothing but to sleep.
    """
    early = early_events(opened, cursor.context)
    if early.taken and len(early.taken) >= opened.collect:
        taken = early.taken if opened.collect > 1 else early.taken[0]
        return woken_by(opened, "event", taken)
    return [ThreadSlept(opened.run_id), *_leave(opened, early.left)] if early.left else []


def _leave(opened: Suspension, event_ids: list[int]) -> list[Hint]:
    """Leave events that the wait has still to be asked about for another transaction."""
    run_id = opened.run_id
    candidates.insert(
        candidates.Pair(event_id, opened.pk, is_early=True, run_id=run_id) for event_id in event_ids
    )
    first = candidates.lease_first(opened.event_type, opened.event_key)
    return [EventLeft(first)] if first is not None else []


def _fields(wait: Wait, cursor: Cursor) -> dict[str, Any]:  # noqa: PLR0911 - one case a wait
    match wait:
        case LockWait() | LockAgainWait():
            return fields_of(wait, cursor)
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
        case TaskWait():
            limit = wait.timeout or timedelta(seconds=conf.settings().task_seconds)
            return {
                "kind": "task",
                "data": {
                    "name": wait.task,
                    "args": list(wait.args),
                    "kwargs": dict(wait.kwargs),
                    "queue": wait.queue,
                    "priority": wait.priority,
                },
                "is_asked": False,
                "wake_at": clock.now() + limit,
            }
        case PersonWait(is_exclusive=True):
            # Its time begins when it is asked: its place in the queue tells when that is.
            return {"kind": "person", "data": dict(wait.data), "prompt": wait.prompt}
        case ChildWait():
            end = clock.now() + wait.timeout if wait.timeout is not None else None
            return {"kind": "child", "wake_at": end}
        case PersonWait():
            due = clock.now() + wait.due if wait.due is not None else None
            return {"kind": "person", "wake_at": due}


def _timer_end(wait: TimerWait) -> datetime:
    if wait.until is not None:
        return wait.until
    return clock.now() + wait.after if wait.after is not None else clock.now()
