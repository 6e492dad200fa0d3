"""Calls a node, or an activity; every error in it becomes an outcome."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from types import FrameType
from typing import Any

from workflows import clock
from workflows.activities import (
    Activity,
    ActivityContext,
    ActivityError,
    activities,
    described,
    registered,
)
from workflows.activities import call as call_registered
from workflows.compiler.plan import PlanNode
from workflows.engine.cursor import Cursor
from workflows.engine.frames import state_at
from workflows.errors import CeleriacError, NodeError
from workflows.expressions import Budget
from workflows.nodes.base import NodeCall
from workflows.nodes.outcomes import Fail, Outcome
from workflows.nodes.suspensions import ActivityCall

#: An activity that has passed over its time limit is struck again after so many seconds.
_AGAIN = 5.0
#: The code of an attempt that has not given its heartbeat.
SILENT = "heartbeat_timeout"


class ActivityTimeoutError(KeyboardInterrupt):
    """Raised inside an activity that runs too long; not an Exception, so that it is not caught.

    What handles a Ctrl-C well handles this well: psycopg cancels the query that it waits for.
    """


def node_call(node: PlanNode, cursor: Cursor) -> NodeCall[Any]:
    """Return what the handler of a node may know."""
    return NodeCall(
        config=node.config,
        context=cursor.context,
        ports=node.ports,
        run=cursor.run.scope,
        now=clock.now(),
        asked=cursor.asked,
        state=state_at(cursor.frames, node.id) if cursor.frames else None,
        budget=Budget(f"node {cursor.node_id!r}"),
    )


def call_node(node: PlanNode, cursor: Cursor) -> Outcome:
    """Return the outcome of a node; what it raises is a `Fail` with the error's code."""
    call = node_call(node, cursor)
    try:
        if cursor.resolution is not None:
            if cursor.resolution.by == "refused":
                return Fail(**cursor.resolution.payload)
            outcome = node.kind.resume(call, cursor.resolution)
            is_bare = isinstance(outcome, Fail) and outcome.input is None
            return replace(outcome, input=cursor.asked) if is_bare else outcome
        return node.kind.run(call) if call.state is None else node.kind.again(call, call.state)
    except CeleriacError as error:
        return failure_from(error)


def failure_from(error: CeleriacError) -> Fail:
    """Return the failure of a node that an error stands for."""
    if isinstance(error, NodeError):
        return Fail(error.failure, error.message, details=error.details or None)
    return Fail(error.code, error.message)


def find_activity(asked: ActivityCall, node_id: str) -> Activity | Fail:
    """Return the activity, or why there is none; a stub may stand in at one node alone."""
    own = f"{asked.activity}:{node_id}"
    try:
        return registered(own if own in activities() else asked.activity)
    except CeleriacError as error:
        return Fail("activity_unknown", error.message, fatal=True)


@dataclass(frozen=True, slots=True)
class Supervision:
    """How an activity is watched: its limit, its heartbeats, and whether its claim still holds."""

    seconds: float
    beat: Callable[[], None]
    quiet: Callable[[], float]  # seconds since the last heartbeat, or since it began
    holds: Callable[[], bool]


def call_activity(
    activity: Activity, asked: ActivityCall, cursor: Cursor, watched: Supervision
) -> Any:
    """Call registered code and return its answer, or the `Fail` that it ended with."""
    context = ActivityContext(
        run_id=str(cursor.claim.run_id),
        workflow=cursor.run.workflow,
        node=cursor.node_id,
        thread_id=str(cursor.claim.thread_id),
        attempt=cursor.claim.attempt,
        idempotency_key=asked.key or cursor.idempotency_key,
        beat=watched.beat,
        holds=watched.holds,
    )
    limit = _TimeLimit(activity, watched)
    try:
        try:
            limit.start()
            answer = call_registered(activity, asked.input, context=context)
        finally:
            limit.stop()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not isinstance(error, ActivityTimeoutError):
            raise  # somebody stops this process
        # Whatever else passed through here would end the process, and then the next one.
        answer = _failed(error, asked)
    finally:
        limit.stop()  # the first may have been struck itself
    if limit.has_struck:
        # Whatever came of it: another error while it was unwound, or an answer all the same.
        return Fail(limit.code, f"Activity {asked.activity!r} {limit.reason}.")
    return answer


def was_struck(answer: object) -> bool:
    """Tell whether an activity was ended at a point that nobody has chosen."""
    return isinstance(answer, Fail) and answer.code in {"timeout", SILENT, "out_of_memory"}


def _failed(error: BaseException, asked: ActivityCall) -> Fail:
    """Return the failure that an activity ended with."""
    match error:
        case NodeError():
            final = not getattr(error, "retryable", True)
            return Fail(error.failure, error.message, details={"final": True} if final else None)
        case CeleriacError():
            # For example type hints that cannot be used: no other attempt can help.
            return Fail(error.code, error.message, fatal=True)
        case SystemExit():
            return Fail("activity_failed", f"Activity {asked.activity!r} tried to end its process.")
        case MemoryError():
            return Fail("out_of_memory", f"Activity {asked.activity!r} ran out of memory.")
        case _:
            return failure_from(ActivityError("activity_failed", described(error)))


class _TimeLimit:
    """Raises ActivityTimeoutError between `start` and `stop` when the time is over.

    By an alarm signal, which only a process's main thread can take (Celery's prefork and solo
    pools). Elsewhere the lease is what ends: the late result is refused.
    """

    code = ""
    reason = ""
    _is_on = False
    _ends = 0.0
    _before: Any = None

    def __init__(self, activity: Activity, watched: Supervision) -> None:
        self._watched = watched
        self._seconds = watched.seconds + activity.grace().total_seconds()
        self._silence = activity.heartbeat.total_seconds() if activity.heartbeat else None

    @property
    def has_struck(self) -> bool:
        return bool(self.code)

    def start(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._before = signal.signal(signal.SIGALRM, self._strike)
        self._is_on = True
        self._ends = monotonic() + self._seconds
        self._arm(min(self._seconds, self._silence or self._seconds))

    def _arm(self, seconds: float) -> None:
        # Again and again: one may be lost where Python cannot raise, as in a finaliser.
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), _AGAIN)

    def stop(self) -> None:
        if not self._is_on:
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._is_on = False
        signal.signal(signal.SIGALRM, self._before)

    def _strike(self, _number: int, _frame: FrameType | None) -> None:
        if not self._is_on:
            return
        left = self._left()
        if left > 0 and not self.has_struck:
            self._arm(left)  # it has beaten meanwhile
            return
        raise ActivityTimeoutError

    def _left(self) -> float:
        """Return how many seconds it has; when there are none, note why."""
        left = self._ends - monotonic()
        beaten = left if self._silence is None else self._silence - self._watched.quiet()
        if self.has_struck:
            pass
        elif left <= 0:
            self.code, self.reason = "timeout", f"ran longer than {self._watched.seconds:g} s"
        elif beaten <= 0:
            self.code, self.reason = SILENT, f"gave no heartbeat for {self._silence:g} s"
        return min(left, beaten)
