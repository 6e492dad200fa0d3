"""What wakes a sleeping thread: one function for events, answers and timers."""

from typing import Any

from workflows import clock
from workflows.engine.deadlines import deadline_of
from workflows.engine.hints import Hint, LockLeft, ThreadReady
from workflows.engine.orphans import leave_orphans
from workflows.engine.questions import ask_next
from workflows.engine.settlements import message_end
from workflows.models import Suspension
from workflows.states import ThreadState
from workflows.store import locks, questions, runs, suspensions, threads


def woken_by(suspension: Suspension, by: str, payload: Any, **answer: Any) -> list[Hint]:
    """Resolve a suspension and make its thread ready with the payload; empty if it was over.

    The order of locks is run, suspension, thread; the caller's transaction holds them together.
    """
    run = runs.lock_run(suspension.run_id)
    if run is None:
        return []
    if suspension.family is not None:
        questions.lock_queue(run)
    if not suspensions.resolve(suspension.pk, by, **answer):
        return []
    if suspension.family is not None:
        ask_next(suspension.family)
    moved = threads.move(
        suspension.thread_id,
        suspension.seq,
        ThreadState.SUSPENDED,
        "wake",
        resume=_resume(suspension, by, payload),
        attempt=0,
        wake_at=clock.now(),
        lease_until=message_end(),
    )
    if not moved:
        message = f"thread {suspension.thread_id} is not asleep at its open suspension"
        raise AssertionError(message)
    if suspension.kind == "person" and run.deadline_at is not None:
        run.deadline_at = deadline_of(run)
    runs.wake(run)
    ready = ThreadReady(suspension.thread_id, suspension.seq, suspension.thread.queue)
    return [*_left_behind(suspension, by), ready]


def _left_behind(suspension: Suspension, by: str) -> list[Hint]:
    """Return what is to be done about that which a thread no longer waits for."""
    match suspension.kind:
        case "child" if by == "timer":
            return leave_orphans(suspension.run_id)
        case "lock" | "relock" if by != "lock":
            locks.leave(suspension_id=suspension.pk)
            names = {name for lock in suspension.data["locks"] for name in lock["names"]}
            return [LockLeft(tuple(sorted(names)))]
        case _:
            return []


def _resume(suspension: Suspension, by: str, payload: Any) -> Any:
    """Return what the thread is woken with: who has a lock again, with what it had slept for."""
    if suspension.kind == "relock" and by == "lock":
        return suspension.data["resume"]
    return {"by": by, "payload": payload, "meta": _meta(suspension)}


def _meta(suspension: Suspension) -> dict[str, Any]:
    """Return what the node's history says of the sleep: which attempt it was, and of what."""
    given = {} if suspension.input is None else {"input": suspension.input}
    return {"attempt": suspension.attempt, **given}
