"""The root thread ends, or an `end` stops everything, and the run with it."""

from workflows.compiler.plan import UNDOING
from workflows.engine.cursor import Cursor
from workflows.engine.ending import cancel, complete, fits
from workflows.engine.frames import locks_at
from workflows.engine.hints import Hint
from workflows.nodes.outcomes import Finish
from workflows.states import ThreadState
from workflows.store import runs, threads


def apply_at_once(cursor: Cursor, finish: Finish) -> bool:
    """End a run in which nothing else lives, in one statement; False when that is not so."""
    if cursor.run.parent_id is not None or locks_at(cursor.claim):
        return False  # somebody may wait for it
    ended = cursor.settled(ThreadState.ENDED, "end")
    return fits(cursor.plan, finish.output) and threads.finish_alone(
        ended, finish.output, finish.result, finish.reason
    )


def apply(cursor: Cursor) -> list[Hint] | None:
    """End the thread and the run; None when the claim was lost or the run is final."""
    run = runs.lock_run(cursor.claim.run_id)
    if run is None:
        return None
    settled, _ = threads.settle([cursor.settled(ThreadState.ENDED, "end")], None)
    if not settled:
        return None
    if cursor.node_id == UNDOING:
        return cancel(run, cursor.plan, run.reason)
    return complete(run, cursor.plan, cursor.context)
