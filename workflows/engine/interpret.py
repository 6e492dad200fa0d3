"""Turns what a node asked for into what is written: a settlement, or a command of its own."""

from typing import assert_never

from workflows.engine.command import Command
from workflows.engine.commands import emit, end_part, fail_thread, finish_run, split, suspend
from workflows.engine.commands.compensate import choose
from workflows.engine.cursor import Cursor
from workflows.engine.retries import next_attempt, priority_of
from workflows.engine.segment import Cut, Over, Stop
from workflows.engine.settlements import (
    advance,
    arrive,
    end,
    record_end,
    wait_turn,
    wrong_join,
)
from workflows.nodes.outcomes import Arrive, Compensate, Emit, Fail, Finish, Split, Suspend
from workflows.nodes.suspensions import ActivityCall
from workflows.store.rows import Settlement


def interpret(cursor: Cursor, stop: Stop) -> Settlement | Command:  # noqa: C901, PLR0911, PLR0912
    """Return what to write for a cursor that has stopped; outcomes are acted on nowhere else."""
    match stop:
        case Cut():
            return advance(cursor)
        case Suspend(wait=ActivityCall(queue=queue)):
            if queue in {None, cursor.claim.queue}:
                cursor.pending = stop
                return advance(cursor)
            return wait_turn(cursor, queue=queue, priority=priority_of(cursor.node))
        case Suspend():
            return Command(lambda: suspend.apply(cursor, stop))
        case Compensate():
            return choose(cursor, stop)
        case Split():
            return Command(lambda: split.apply(cursor, stop))
        case Emit():
            return emit.prepare(cursor, stop, interpret)
        case Arrive():
            return _arrive(cursor)
        case Over() | Finish():
            return _finish(cursor, stop)
        case Fail():
            return _fail(cursor, stop)
        case _:
            assert_never(stop)


def _fail(cursor: Cursor, fail: Fail) -> Settlement | Command:
    """Try again, or go on at `on_error`, or fail the run: in this order."""
    again = next_attempt(cursor, fail)
    if again is not None:
        return again
    target = cursor.node.ports.get("on_error")
    if target is None or fail.fatal:
        return Command(lambda: fail_thread.apply(cursor, fail))
    error = cursor.failure(fail)
    cursor.record("failed", input=fail.input, error=error)
    cursor.move_to(target, {**cursor.context, "error": error})
    return advance(cursor)


def _finish(cursor: Cursor, stop: Over | Finish) -> Settlement | Command:
    stops_all = isinstance(stop, Finish) and stop.terminate
    if cursor.group is not None and not stops_all:
        return end_part.prepare(cursor, end(cursor, stop))
    if isinstance(stop, Over):
        return Command(lambda: finish_run.apply(cursor))
    record_end(cursor, stop)
    return Command(lambda: finish_run.apply(cursor), lambda: finish_run.apply_at_once(cursor, stop))


def _arrive(cursor: Cursor) -> Settlement | Command:
    failed = wrong_join(cursor)
    if failed is not None:
        return Command(lambda: fail_thread.apply(cursor, failed))
    return end_part.prepare(cursor, arrive(cursor))
