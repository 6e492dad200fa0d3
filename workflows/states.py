"""Statuses and the one table of legal transitions.

Every status change in the database goes along an edge of these tables, by compare-and-set. The
CHECK constraints of the models and the state diagrams in the reference are made from them.
"""

from collections.abc import Mapping
from enum import StrEnum


class RunStatus(StrEnum):
    """What a run as a whole is doing."""

    PENDING = "pending"
    RUNNING = "running"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ThreadState(StrEnum):
    """What one cursor through the graph is doing."""

    QUEUED = "queued"  # member of a group that no slot has taken yet
    READY = "ready"  # may move at `wake_at`; while leased, a message for it is on its way
    RUNNING = "running"  # claimed by a worker until the lease ends
    SUSPENDED = "suspended"  # asleep until its open suspension is resolved
    JOINING = "joining"  # asleep until the group that it opened is over
    ARRIVED = "arrived"  # over: reached the join of its group
    ENDED = "ended"  # over: reached an end, or a node with nothing behind it
    FAILED = "failed"
    CANCELLED = "cancelled"


class SuspensionState(StrEnum):
    """Whether a sleeper can still be woken by this suspension."""

    OPEN = "open"
    RESOLVED = "resolved"
    CLOSED = "closed"  # cancelled with its run: nobody answered it


class GroupState(StrEnum):
    """Whether a group still has to be joined."""

    OPEN = "open"
    JOINED = "joined"
    FAILED = "failed"  # more of its parts have failed than its split puts up with
    CANCELLED = "cancelled"


class LockState(StrEnum):
    """What one thread's claim to one lock is."""

    WAITING = "waiting"  # in the queue of the lock, while its suspension is open
    HELD = "held"
    LEFT = "left"  # given up before its thread has moved; to be removed


Edges = Mapping[tuple[str, str], str]

RUN_EDGES: Edges = {
    ("pending", "move"): "running",
    ("running", "sleep"): "suspended",
    ("suspended", "wake"): "running",
    ("running", "complete"): "completed",
    ("running", "fail"): "failed",
    ("suspended", "fail"): "failed",
    ("pending", "cancel"): "cancelled",
    ("running", "cancel"): "cancelled",
    ("suspended", "cancel"): "cancelled",
}

THREAD_EDGES: Edges = {
    ("queued", "claim"): "running",
    ("queued", "release"): "ready",
    ("ready", "claim"): "running",
    ("running", "advance"): "running",
    ("running", "hand_back"): "queued",
    ("running", "wait_turn"): "ready",
    ("running", "suspend"): "suspended",
    ("running", "split"): "joining",
    ("running", "arrive"): "arrived",
    ("running", "end"): "ended",
    ("running", "fail"): "failed",
    ("suspended", "wake"): "ready",
    ("joining", "join"): "ready",
    ("joining", "arrive"): "arrived",
    ("joining", "end"): "ended",
    ("joining", "fail"): "failed",
    ("queued", "cancel"): "cancelled",
    ("ready", "cancel"): "cancelled",
    ("running", "cancel"): "cancelled",
    ("suspended", "cancel"): "cancelled",
    ("joining", "cancel"): "cancelled",
}

SUSPENSION_EDGES: Edges = {("open", "resolve"): "resolved", ("open", "close"): "closed"}
LOCK_EDGES: Edges = {("waiting", "grant"): "held", ("held", "leave"): "left"}
GROUP_EDGES: Edges = {
    ("open", "join"): "joined",
    ("open", "fail"): "failed",
    ("open", "cancel"): "cancelled",
}

RUN_FINAL = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED})
THREAD_OVER = frozenset(
    {ThreadState.ARRIVED, ThreadState.ENDED, ThreadState.FAILED, ThreadState.CANCELLED}
)
#: States in which a thread can move or is moving: a run that has one is not asleep.
THREAD_MOVING = frozenset({ThreadState.QUEUED, ThreadState.READY, ThreadState.RUNNING})
#: States that hold a place in their group's `parallel` window.
THREAD_LIVE = frozenset(
    {ThreadState.READY, ThreadState.RUNNING, ThreadState.SUSPENDED, ThreadState.JOINING}
)


def sources(edges: Edges, event: str) -> frozenset[str]:
    """Return the states from which `event` may happen."""
    return frozenset(state for state, name in edges if name == event)
