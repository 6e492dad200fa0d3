"""A claimed thread as it walks: in memory, until one commit records all its steps."""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from workflows import clock, contents
from workflows.compiler.plan import Plan, PlanNode
from workflows.engine import frames
from workflows.engine.frames import Frames
from workflows.engine.plans import load_plan
from workflows.models import Thread
from workflows.nodes.outcomes import Fail, JSONObject, Suspend
from workflows.nodes.parts import part_context, parts_from_json
from workflows.nodes.suspensions import LockAgainWait, Resolution
from workflows.states import ThreadState
from workflows.store import groups, locks, runs
from workflows.store.rows import Claim, GroupInfo, HistoryRow, RunInfo, Settlement


@dataclass(slots=True)
class Cursor:
    """Where a thread is, and what it has done since its last commit."""

    claim: Claim
    plan: Plan
    run: RunInfo
    group: GroupInfo | None
    start_context: JSONObject  # of a part: what its contribution is compared with
    context: JSONObject
    node_id: str
    came_from: str
    seq: int
    frames: Frames = field(default_factory=list)
    resolution: Resolution | None = None
    steps: list[HistoryRow] = field(default_factory=list)
    entered_at: datetime = field(default_factory=clock.now)
    has_called: bool = False  # an activity, at the node where the cursor is
    asked: Any = None  # what it was called with
    pending: Any = None  # what comes before the node: an activity at which the last commit stopped

    @property
    def node(self) -> PlanNode:
        return self.plan.nodes[self.node_id]

    @property
    def is_first(self) -> bool:
        """Tell whether nothing was done yet under this claim."""
        return self.seq == self.claim.seq

    @property
    def own_context(self) -> JSONObject | None:
        """Return the context to keep for a sleep: none while it is what the part started with.

        Ten thousand parts that sleep must not keep ten thousand copies of their group's list.
        """
        is_derived = self.group is not None and self.context is self.start_context
        return None if is_derived else self.context

    @property
    def attempt(self) -> int:
        """Return which attempt at its node this is; one that has slept is still the same."""
        slept = self.resolution.meta.get("attempt") if self.resolution is not None else None
        if slept is not None:
            return int(slept)
        return self.claim.attempt if self.is_first or self.has_called else 1

    @property
    def executed(self) -> int:
        """Return how many nodes the run has executed, as far as this thread knows.

        Itself, the threads that it has joined, and what was done before its group was opened: not
        what goes on beside it.
        """
        before = self.group.steps_before if self.group is not None else 0
        return before + self.claim.joined_steps + self.seq

    @property
    def idempotency_key(self) -> str:
        """Return what names this step in every attempt of it."""
        return f"{self.claim.run_id}:{self.claim.thread_id}:{self.seq}"

    def record(self, status: str = "completed", **values: Any) -> None:
        """Note that the node was executed."""
        now = clock.now()
        self.steps.append(
            HistoryRow(
                seq=self.seq,
                attempt=self.attempt,
                node=self.node_id,
                kind=self.node.kind.name,
                came_from=self.came_from,
                status=status,
                queued_at=self.claim.queued_at if self.is_first else self.entered_at,
                started_at=self.entered_at,
                ended_at=now,
                **values,
            )
        )

    def move_to(self, node_id: str, context: JSONObject) -> None:
        """Go on to another node; the step that led there was recorded."""
        if self.frames:
            self.frames, context = frames.go_to(self.plan, self.frames, node_id, context)
        self.came_from, self.node_id = self.node_id, node_id
        self.context = context
        self.seq += 1
        self.resolution = None
        self.has_called = False
        self.asked = None
        self.entered_at = clock.now()

    def copied(self) -> "Cursor":
        """Return where the cursor is now, for `go_back`."""
        return replace(self, steps=list(self.steps))

    def go_back(self, before: "Cursor") -> None:
        """Be where a copy was taken: what came after it was rolled back."""
        for each in fields(self):
            setattr(self, each.name, getattr(before, each.name))

    def settled(self, state: ThreadState, event: str, **values: Any) -> Settlement:
        """Return what to write when the thread stops here in `state`."""
        fields: dict[str, Any] = {
            "claim": self.claim,
            "state": state,
            "event": event,
            "seq": self.seq,
            "node": self.node_id,
            "came_from": self.came_from,
            "context": self.context,
            "moved_at": clock.now(),
            "priority": self.claim.priority,
            "queue": self.claim.queue,
            "history": tuple(self.steps),
            "frames": self.frames or None,
        }
        return Settlement(**{**fields, **values})

    def failure(self, fail: Fail) -> JSONObject:
        """Return a failure as it is kept, and as `error` in the context of `on_error`."""
        error = {
            "code": fail.code,
            "message": fail.message,
            "node": self.node_id,
            "attempt": self.attempt,
        }
        return {**error, "details": fail.details} if fail.details else error


def open_cursor(claim: Claim) -> Cursor:
    """Return a cursor on a claimed thread: its plan, its context, what it was woken with.

    Raises:
        ContentLostError: its context is not where it was kept.
        ContentUnreachableError: it cannot be read now.
    """
    run = runs.load_info(claim.run_id)
    group = groups.load_group(claim.group_id) if claim.group_id else None
    context: JSONObject | None = contents.value_of(claim.context)
    start: JSONObject = {}
    if group is not None and group.has_base:
        start = part_context(parts_from_json(group.parts), group.base, claim.idx)
        context = start if context is None else context
    return Cursor(
        claim=claim,
        plan=load_plan(run.version_id, run.digest),
        run=run,
        group=group,
        start_context=start,
        context=context or {},
        node_id=claim.node,
        came_from=claim.came_from,
        seq=claim.seq,
        frames=claim.frames or [],
        resolution=Resolution(**claim.resume) if claim.resume else None,
        asked=claim.resume.get("meta", {}).get("input") if claim.resume else None,
        pending=_locks_first(claim),
    )


def _locks_first(claim: Claim) -> Suspend | None:
    """Return what takes the locks again that a thread has lost inside of their bodies.

    It lost them when it fell asleep there, or when it failed and is to go on after all.
    """
    inside = frames.locks_in(claim.frames)
    resume = claim.resume or {}
    if not inside or (resume.get("by") == "refused" and resume["payload"].get("fatal")):
        return None
    lost = locks.missing(claim.thread_id, {lock["id"] for lock in inside})
    again = [lock for lock in inside if lock["id"] in lost]
    return Suspend(LockAgainWait(again)) if again else None


def reopen(cursor: Cursor, claim: Claim) -> Cursor:
    """Return a cursor for the next step of a thread that stayed in hand."""
    return replace(
        cursor,
        claim=claim,
        steps=[],
        resolution=None,
        has_called=False,
        asked=None,
        entered_at=clock.now(),
    )


def context_at(thread: Thread) -> JSONObject:
    """Return the context of a thread that sleeps: its own, or what it started with as a part."""
    kept: JSONObject | None = thread.context
    if kept is not None or thread.group_id is None:
        return kept or {}
    group = groups.load_group(thread.group_id)
    return part_context(parts_from_json(group.parts), group.base, thread.idx)
