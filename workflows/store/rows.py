"""What goes between the engine and the tables: claims, settlements, history."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from workflows import contents
from workflows.states import THREAD_OVER, ThreadState

JSONObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What never changes about a run; cached by every worker process."""

    id: UUID
    version_id: int
    digest: str
    workflow: str
    number: int
    key: str | None
    depth: int
    created_at: datetime
    started_by_id: int | None
    parent_id: UUID | None = None
    scope: JSONObject = field(init=False, compare=False)  # what expressions see as `run`

    def __post_init__(self) -> None:
        scope = {
            "id": str(self.id),
            "workflow": self.workflow,
            "version": self.number,
            "key": self.key,
            "depth": self.depth,
            "started_at": self.created_at.isoformat(),
            "parent": str(self.parent_id) if self.parent_id is not None else None,
        }
        object.__setattr__(self, "scope", scope)


@dataclass(frozen=True, slots=True)
class Claim:
    """A thread that this process may move until the lease ends; `fence` proves it."""

    thread_id: int
    run_id: UUID
    group_id: UUID | None
    idx: int
    node: str
    came_from: str
    seq: int
    attempt: int
    fence: int
    # None: derived from the group's owner. Read where it is used, so that one that is lost does not
    # keep the threads claimed with it from moving.
    context: JSONObject | contents.Reference | None
    resume: JSONObject | None
    queue: str
    priority: int
    queued_at: datetime
    frames: list[JSONObject] | None = None  # the loops and locks that it is inside of
    joined_steps: int = 0  # nodes executed by the threads of the groups that it has joined


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One attempt of one node, as it will be kept."""

    seq: int
    attempt: int
    node: str
    kind: str
    came_from: str
    status: str
    started_at: datetime
    ended_at: datetime
    queued_at: datetime
    input: Any = None
    output: Any = None
    error: Any = None
    is_end: bool = False
    compensation: JSONObject | None = None  # what undoes the step
    compensates: int | None = None  # the row of the step that this one has undone


@dataclass(frozen=True, slots=True)
class LostClaim:
    """A claim whose worker did not live to settle it."""

    run_id: UUID
    thread_id: int
    worker: str
    seq: int
    attempt: int
    node: str
    came_from: str
    queued_at: datetime
    started_at: datetime
    ended_at: datetime  # of the lease: nothing was heard since


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a claimed thread; written only while the claim still holds."""

    claim: Claim
    state: ThreadState
    event: str  # the edge of states.THREAD_EDGES
    seq: int
    node: str
    came_from: str
    context: JSONObject | None
    moved_at: datetime
    attempt: int = 0
    contribution: JSONObject | None = None  # {"value": ...}: what a part leaves at the merge path
    queue: str = ""
    priority: int = 5
    wake_at: datetime | None = None
    lease_until: datetime | None = None
    is_unstarted: bool = False  # context, frames and what it was woken with stay as they are
    frames: list[JSONObject] | None = None
    history: tuple[HistoryRow, ...] = field(default_factory=tuple)

    @property
    def is_over(self) -> bool:
        return self.state in THREAD_OVER

    def continued(self) -> Claim:
        """Return the claim on the next step, for a thread that stays in hand."""
        return replace(
            self.claim,
            node=self.node,
            came_from=self.came_from,
            seq=self.seq,
            attempt=self.attempt,
            fence=self.claim.fence + 1,
            context=self.context,
            resume=None,
            queue=self.queue,
            queued_at=self.moved_at,
            frames=self.frames,
        )


@dataclass(frozen=True)
class GroupInfo:
    """What never changes about an open group, with the context that its parts start from.

    Read when the group was not open any more (`is_open`), it has a base only if parts of it go on.
    """

    id: UUID
    run_id: UUID
    owner_id: int
    owner_group_id: UUID | None
    node: str
    parts: JSONObject
    merge: str | None
    queue: str
    expected: int
    slots: int
    steps_before: int
    is_open: bool
    has_base: bool
    origin: JSONObject | contents.Reference | None = field(compare=False)

    @cached_property
    def base(self) -> JSONObject:
        """The context that its parts start from. Raises ContentLostError."""
        return contents.value_of(self.origin) or {}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many parts of a group have come how far; those that ended elsewhere are only `ended`."""

    arrived: int
    ended: int
    failed: int
    live: int
