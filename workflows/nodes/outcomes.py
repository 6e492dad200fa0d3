"""What a node can answer. One interpreter acts on these; nodes act on nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from workflows.nodes.suspensions import ActivityCall, Wait

JSONObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Continue:
    """Go on through a port with this context; a port that leads nowhere ends the thread.

    `input` goes into the node's history as it is, and with it what `compensation` undoes the step:
    `{activity, input}`. Its `output` there is what has changed in the context, if left out.
    """

    context: JSONObject
    port: str = "next"
    input: Any = None
    output: JSONObject | None = None
    compensation: JSONObject | None = None


@dataclass(frozen=True, slots=True)
class Enter:
    """Go into the node's own body; back at the node, its kind's `again` is given `state`.

    A body without a node leads straight back. `compensates` is the `id` of the step that was
    undone on the way; `input` and `output` are as those of `Continue`.
    `lock` is what a `LockWait` was resolved with: it is held until the body is left, by any way.
    """

    context: JSONObject
    state: JSONObject
    port: str = "body"
    input: Any = None
    compensates: int | None = None
    output: JSONObject | None = None
    lock: JSONObject | None = None


@dataclass(frozen=True, slots=True)
class Compensate:
    """Choose the newest finished step of the run that is still to be compensated.

    The thread comes back by `again` with `step` in its `state`: `{id, node, thread, seq,
    compensation}`, or None when there is none left. Until it goes on, no other thread of the run
    is given one.
    """

    state: JSONObject
    nodes: Sequence[str] | None = None  # only the steps of these


@dataclass(frozen=True, slots=True)
class Emit:
    """Send an event in the transaction that records the step, and go on through a port.

    Without `source` it comes from the workflow, without `id` it has the name of the step.
    """

    context: JSONObject
    type: str
    key: str
    data: Any
    source: str | None = None
    id: str | None = None
    deliver: Literal["one", "all"] = "one"
    ttl: timedelta | None = None
    port: str = "next"
    input: Any = None


@dataclass(frozen=True, slots=True)
class Branches:
    """The parts of a fan-out: one thread a named branch, in definition order."""

    names: Sequence[str]
    starts: Sequence[str]  # node ids, one a name


@dataclass(frozen=True, slots=True)
class Racers:
    """The parts of a race: one thread a branch; the first to finish ends the others."""

    names: Sequence[str]
    starts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Slices:
    """The parts of a batch: `count` threads at `start`, thread i has its slice of the list."""

    start: str
    items: str  # context path of the list
    size: int
    count: int
    parallel: int  # 0: no cap


@dataclass(frozen=True, slots=True)
class Items:
    """The parts of a map: `count` threads at `start`, thread i has item i under the key `name`."""

    start: str
    items: str
    name: str
    count: int
    parallel: int


@dataclass(frozen=True, slots=True)
class Split:
    """Open a group and sleep until it is over; the join goes on at the plan's continuation.

    `merge` is the path that the parts may change; `None` keeps nothing of them. `tolerate` is
    `{"count": n}` or `{"percent": p}` of parts that may fail; None lets each failure fail all.
    """

    parts: Branches | Racers | Slices | Items
    merge: str | None
    queue: str | None = None
    tolerate: JSONObject | None = None
    input: Any = None


@dataclass(frozen=True, slots=True)
class Arrive:
    """The thread has reached a join."""


@dataclass(frozen=True, slots=True)
class Suspend:
    """Sleep until the wait is over (or, for an activity, until it was called).

    `about` goes into the details of an activity's failure.
    """

    wait: Wait | ActivityCall
    input: Any = None
    about: JSONObject | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """The thread reached an `end`; `output` may become the run's."""

    output: JSONObject
    result: Literal["ok", "allowed", "blocked"] = "ok"
    reason: str = ""
    terminate: bool = False
    warnings: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Fail:
    """The node failed: `retry` and `on_error` apply unless `fatal`, which fails the run."""

    code: str
    message: str
    fatal: bool = False
    input: Any = None
    details: Any = None


Outcome = Continue | Enter | Compensate | Emit | Split | Arrive | Suspend | Finish | Fail
