"""Who gets a lock: decided by rows, under the lock on its name, by anybody and any number of times.

A thread that leaves a lock says so after its commit; what is not said, the sweeper finds.
"""

from typing import Any
from uuid import uuid4

from workflows import clock
from workflows.engine.cursor import Cursor
from workflows.engine.frames import locks_in
from workflows.engine.hints import Hint, LockLeft, LockWanted, ThreadSlept
from workflows.engine.waking import woken_by
from workflows.models import Suspension
from workflows.nodes.suspensions import LockAgainWait, LockWait
from workflows.store import locks, runs

AnyLockWait = LockWait | LockAgainWait


def lock_names_of(wait: AnyLockWait) -> None:
    """Lock the names of a wait that is about to open, before everything else."""
    if isinstance(wait, LockWait):
        locks.lock_names(wait.names)
    else:
        locks.lock_names({name for lock in wait.locks for name in lock["names"]})


def fields_of(wait: AnyLockWait, cursor: Cursor) -> dict[str, Any]:
    """Return the fields of its suspension."""
    if isinstance(wait, LockAgainWait):
        thread_id = cursor.claim.thread_id
        return {
            "kind": "relock",
            "attempt": locks.times_taken_again(thread_id, cursor.seq) + 1,
            "data": {"locks": list(wait.locks), "resume": cursor.claim.resume},
        }
    own = uuid4()
    lock = {
        "id": str(own),
        "node": cursor.node_id,
        "names": list(wait.names),
        "shared": wait.is_shared,
        "limit": wait.limit,
        "releases": wait.is_released_asleep,
    }
    due = clock.now() + wait.timeout if wait.timeout is not None else None
    return {"id": own, "kind": "lock", "data": {"locks": [lock]}, "wake_at": due}


def ask(opened: Suspension) -> list[Hint]:
    """Put a wait that was just opened into the queues of its locks, or wake it at once."""
    if locks.ask(opened, opened.data["locks"], is_again=opened.kind == "relock"):
        return _let_in(opened)
    return [ThreadSlept(opened.run_id), LockWanted(opened.pk)]


def let_go_asleep(cursor: Cursor) -> list[Hint]:
    """Give up the locks that a thread holds only while it is awake: it falls asleep now."""
    holds = [lock["id"] for lock in locks_in(cursor.frames) if lock["releases"]]
    if not holds:
        return []
    names = locks.leave(thread_id=cursor.claim.thread_id, hold__in=holds)
    return [LockLeft(tuple(names))] if names else []


def look_at(name: str) -> list[Hint]:
    """Free a lock of those who do not hold it any more, and let the next ones in."""
    locks.lock_names([name])
    locks.drop_void(name)
    chosen = locks.next_in(name)
    if not chosen:
        return []
    # The runs come after the name, in the order of everybody who locks several.
    runs.lock_runs({claim.run_id for claim in chosen})
    count, over = locks.grant(chosen)
    hints = [hint for wait in over for hint in _let_in(wait)]
    if count < len(chosen) or count == locks.MOST_LET_IN:
        hints.append(LockLeft((name,)))  # some were stopped meanwhile, or there may be more
    return hints


def _let_in(wait: Suspension) -> list[Hint]:
    return woken_by(wait, "lock", wait.data["locks"][0])
