"""One leg of a thread: pure nodes, at most one activity, pure nodes, and what is to be written."""

import logging
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import TypeGuard

from django.db import DatabaseError, OperationalError, transaction

from workflows import conf
from workflows.activities import Activity, ActivityError, described
from workflows.engine.call import (
    Supervision,
    call_activity,
    failure_from,
    find_activity,
    was_struck,
)
from workflows.engine.command import Command
from workflows.engine.cursor import Cursor
from workflows.engine.hints import Hint
from workflows.engine.interpret import interpret
from workflows.engine.retries import attempts_of, lost_too_often
from workflows.engine.segment import Stop, walk
from workflows.engine.settlements import advance
from workflows.errors import CeleriacError, ContentLostError, ContentUnreachableError
from workflows.nodes.outcomes import Fail, Suspend
from workflows.nodes.suspensions import ActivityCall, Resolution
from workflows.services.again import outlasting
from workflows.services.keeping import Call, Watch
from workflows.store import connections, leases, threads
from workflows.store.rows import Settlement

logger = logging.getLogger("workflows.work")

#: Seconds of an activity in which the database may well have been restarted.
_LONG = 1.0


class StaleClaimError(Exception):
    """The claim was lost while a transactional activity ran: its writes are rolled back."""


class _FailedError(Exception):
    """A transactional activity failed: its writes are rolled back."""


@dataclass(frozen=True, slots=True)
class Written:
    """The leg is recorded already, in the transaction of its activity."""

    settlement: Settlement | None
    hints: list[Hint]


def run_leg(cursor: Cursor, watch: Watch) -> Settlement | Command | Written:
    """Move a thread as far as one commit reaches.

    Raises:
        StaleClaimError: the claim was lost, and a transactional activity was rolled back.
    """
    pending, cursor.pending = cursor.pending, None
    lost = lost_too_often(cursor)
    if lost is not None:
        # Nothing is started under this claim: the attempt that failed was the one before.
        cursor.claim = replace(cursor.claim, attempt=cursor.claim.attempt - 1)
        return interpret(cursor, lost)
    stop: Stop = pending or walk(cursor)
    if not _is_call_here(stop, cursor):
        return interpret(cursor, stop)
    if cursor.claim.attempt > 1 and cursor.steps:
        # A worker was lost on the way: whatever is to blame is claimed under its own name.
        cursor.pending = stop
        return replace(advance(cursor), attempt=cursor.claim.attempt)
    return _call(cursor, stop, watch)


def _call(cursor: Cursor, stop: "_CallStop", watch: Watch) -> Settlement | Command | Written:
    activity = find_activity(stop.wait, cursor.node_id)
    if isinstance(activity, Fail):
        return interpret(cursor, activity)
    if attempts_of(cursor.node) == 1:
        leases.confirm(cursor.claim)  # a crash must not make its only attempt undone
    outer = connections.in_transaction()
    start = monotonic()
    leg: Written | Stop
    with watch.calling(activity, _seconds(stop.wait) + activity.grace().total_seconds()) as call:
        if activity.transactional:
            leg = _in_transaction(cursor, stop, activity, call)
        else:
            leg = _answered(cursor, stop, activity, call)
    if isinstance(leg, Written):
        return leg
    if was_struck(leg):
        connections.drop_all(but=outer)
    if monotonic() - start > _LONG and not outer:
        outlasting(connections.check)  # what follows may read
    return interpret(cursor, leg)


def _is_call_here(stop: Stop, cursor: Cursor) -> "TypeGuard[_CallStop]":
    """Tell whether the cursor stops at an activity that runs on this queue, in place."""
    return (
        isinstance(stop, Suspend)
        and isinstance(stop.wait, ActivityCall)
        and stop.wait.queue in {None, cursor.claim.queue}
    )


class _CallStop(Suspend):
    wait: ActivityCall


def _seconds(asked: ActivityCall) -> float:
    limit = asked.timeout
    return limit.total_seconds() if limit is not None else conf.settings().activity_seconds


def _answered(cursor: Cursor, stop: "_CallStop", activity: Activity, call: Call) -> Stop:
    """Call the activity and walk on with its answer; the history keeps what the kind shows of it.

    A kind whose call repeats half of the context shows less than it hands over.
    """
    cursor.has_called, cursor.asked = True, stop.input
    holds = partial(leases.holds, cursor.claim)
    watched = Supervision(_seconds(stop.wait), call.beat, call.quiet, holds)
    answer = call_activity(activity, stop.wait, cursor, watched)
    if activity.transactional and not isinstance(answer, Fail) and connections.is_spoilt():
        answer = Fail("transaction_broken", "An error of the database was caught and passed over.")
    if isinstance(answer, Fail):
        return _failed(stop, answer)
    cursor.resolution = Resolution("activity", answer)
    return walk(cursor)


def _in_transaction(
    cursor: Cursor, asking: "_CallStop", activity: Activity, call: Call
) -> Written | Fail:
    """Call an activity whose writes commit with the step, or not at all."""
    stop: Stop | None = None
    written: Written | None = None
    before, commits = cursor.copied(), list[bool]()
    try:
        with transaction.atomic():
            # The first of all that is called after the commit.
            transaction.on_commit(lambda: commits.append(True))
            stop = _answered(cursor, asking, activity, call)
            written = _write(cursor, stop)
    except KeyboardInterrupt:
        raise  # somebody stops this process
    except BaseException as error:
        if written is not None and commits:
            # Its step is kept: what the activity has left to be done afterwards is its own affair.
            logger.exception("what activity %r does after its commit failed", activity.name)
            return written
        if written is not None and _is_refusal(error):
            cursor.go_back(before)
            cursor.has_called, cursor.asked = True, asking.input
            refused = ActivityError("activity_failed", described(error))
            return _failed(asking, failure_from(refused))
        # After a time limit, the way out of the transaction may fail in any way.
        if isinstance(stop, Fail) and cursor.has_called:
            return stop
        raise
    return written


def _is_refusal(error: BaseException) -> bool:
    """Tell whether a commit failed for what was to be committed, as deferred constraints do."""
    return isinstance(error, DatabaseError) and not isinstance(error, OperationalError)


def _failed(asking: "_CallStop", fail: Fail) -> Fail:
    details = {**(fail.details or {}), **(asking.about or {})} or None
    return replace(fail, input=asking.input, details=details)


def _write(cursor: Cursor, stop: Stop) -> Written:
    if isinstance(stop, Fail) and cursor.has_called:
        raise _FailedError  # the activity's own failure, not one of a node behind it
    leg = interpret(cursor, stop)
    if isinstance(leg, Command):
        before = (list(cursor.steps), cursor.seq)
        try:
            with transaction.atomic():
                return _applied(leg)
        except (ContentLostError, ContentUnreachableError):
            raise
        except CeleriacError as error:
            # What the activity wrote stays: it is a node behind it that was refused.
            cursor.steps, cursor.seq = before
            return _write(cursor, failure_from(error))
    settled, _ = threads.settle([leg], None)
    if not settled:
        raise StaleClaimError
    return Written(leg, [])


def _applied(command: Command) -> Written:
    hints = command.apply()
    if hints is None:
        raise StaleClaimError
    return Written(command.settlement, hints)
