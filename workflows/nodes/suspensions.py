"""What a sleeping thread can wait for, and what it is woken with.

Everything that takes long is one mechanism: the kind answers `Suspend(wait)`, the engine keeps the
wait as rows, and when it is over the kind's `resume` is called with a `Resolution`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class TimerWait:
    """Sleep for a while, or until a moment; exactly one of the two is set."""

    after: timedelta | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventWait:
    """Sleep until `collect` events of `type` with correlation `key` match `filter`."""

    type: str
    key: str
    filter: str | None = None
    collect: int = 1
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PersonWait:
    """Sleep until a person has answered: the engine itself, or a plug-in app on people's behalf.

    `data` is handed to the kind's `on_suspended` hook inside the transaction that asks, which is
    the one that puts the thread to sleep; `due` wakes it so long after that with a timeout.

    Exclusive, it queues: one question of a run and its children is asked at a time, in order of
    arrival, and the next one inside the transaction that ends the one before.

    With a `prompt` the engine asks. It takes the answers of the people in `data.to` (`groups` and
    `users`, lists of names) that fit `data.form` (a JSON Schema, or None).
    """

    data: Mapping[str, Any]
    due: timedelta | None = None
    is_exclusive: bool = False
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class ChildWait:
    """Start a run of another workflow, and sleep until it is final.

    The thread is woken with `{run, workflow, version, status, result, reason, output, error}`.
    Detached, it is woken at once, and the child goes its own way. `on_cancel` says what becomes
    of a child that nobody waits for any more.
    """

    workflow: str
    input: Mapping[str, Any]
    version: int | None = None  # None: the one that the family of runs was started with
    is_detached: bool = False
    on_cancel: Literal["cancel", "abandon"] = "cancel"
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class TaskWait:
    """Send a Celery task by name, and sleep until it has ended.

    The thread is woken with `{answer}` or `{error: {code, message}}`. Without a `queue` Celery's
    own routes decide; without a `timeout` the setting `task_seconds` applies.
    """

    task: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    queue: str | None = None
    priority: int | None = None
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class LockWait:
    """Sleep until the thread holds all of these locks; it asks for them together.

    The thread is woken with the `lock` that the kind has to give back in its `Enter`: the locks are
    held for as long as the thread is inside of that body. `limit` is how many may hold one at the
    same time; those that share it are not counted. With `is_released_asleep` they are held only
    while the thread is not asleep.
    """

    names: Sequence[str]
    is_shared: bool = False
    limit: int = 1
    is_released_asleep: bool = False
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class LockAgainWait:
    """Sleep until the thread holds again what it has lost inside of the body.

    The engine's own: no kind asks for it. The thread then goes on with what it was woken with.
    """

    locks: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ActivityCall:
    """Call registered Python code with a rendered input, outside any transaction.

    Kept in the thread's own row: the claim is the lease, and its settling is the answer. `key` is
    the idempotency key, if it is not the one of the step.
    """

    activity: str
    input: Any
    queue: str | None = None
    attempts: int | None = None
    timeout: timedelta | None = None
    key: str | None = None


Wait = TimerWait | EventWait | PersonWait | ChildWait | TaskWait | LockWait | LockAgainWait


ResolvedBy = Literal["event", "answer", "timer", "activity", "child", "task", "lock", "refused"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Why a thread was woken: `payload` is the event(s), the decision, or the activity's answer."""

    by: ResolvedBy
    payload: Any = None
    meta: Mapping[str, Any] = field(default_factory=dict)
