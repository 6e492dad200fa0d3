"""What a command wants said after its commit: each is only a hint, the rows say the same."""

from dataclasses import dataclass
from uuid import UUID

from workflows.errors import ContentLostError


@dataclass(frozen=True, slots=True)
class ThreadReady:
    """A thread may move: send its message."""

    thread_id: int
    seq: int
    queue: str
    priority: int = 5


@dataclass(frozen=True, slots=True)
class GroupOpened:
    """A group has queued threads: send its chord."""

    group_id: UUID
    queue: str
    slots: int


@dataclass(frozen=True, slots=True)
class GroupWidened:
    """More threads of an open group may live at once: send helpers to it."""

    group_id: UUID
    queue: str
    slots: int


@dataclass(frozen=True, slots=True)
class GroupEnding:
    """A thread of a group is over: look whether it was the last."""

    group_id: UUID


@dataclass(frozen=True, slots=True)
class GroupWaiting:
    """So many parts of a group were given back, and who worked on it is held up."""

    group_id: UUID
    count: int


@dataclass(frozen=True, slots=True)
class ThreadSlept:
    """A thread fell asleep: look whether anything in its run can still move."""

    run_id: UUID


@dataclass(frozen=True, slots=True)
class EventEmitted:
    """A step has sent an event: give it to whoever waits for it."""

    event_id: int


@dataclass(frozen=True, slots=True)
class EventLeft:
    """An event has still to be offered to waits: go on with this candidate."""

    candidate_id: int


@dataclass(frozen=True, slots=True)
class ChildrenOrphaned:
    """Nobody waits for some children of a run any more: cancel them."""

    run_id: UUID


@dataclass(frozen=True, slots=True)
class ContextLost:
    """An event was for a thread whose context is lost: its run must fail."""

    run_id: UUID
    node: str
    lost: ContentLostError


@dataclass(frozen=True, slots=True)
class TaskUnsent:
    """A thread waits for a Celery task: send its message."""

    suspension_id: UUID


@dataclass(frozen=True, slots=True)
class LockLeft:
    """Some who held or wanted these locks do so no more: look who comes next."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LockWanted:
    """A thread waits for locks: look whether those whom it waits for wait for it."""

    suspension_id: UUID


Hint = (
    ThreadReady
    | GroupOpened
    | GroupWidened
    | GroupEnding
    | GroupWaiting
    | ThreadSlept
    | EventEmitted
    | EventLeft
    | ContextLost
    | TaskUnsent
    | ChildrenOrphaned
    | LockLeft
    | LockWanted
)
