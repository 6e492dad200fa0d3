"""The root thread ends, or an `end` stops everything, and the run with it."""

from workflows.engine.cursor import Cursor
from workflows.engine.ending import complete, fits
from workflows.engine.hints import Hint
from workflows.engine.segment import Over
from workflows.engine.settlements import record_end
from workflows.nodes.outcomes import Finish
from workflows.states import ThreadState
from workflows.store import runs, threads


def apply(cursor: Cursor, stop: Over | Finish) -> list[Hint] | None:
    """End the thread and the run; None when the claim was lost or the run is final."""
    if isinstance(stop, Finish):
        record_end(cursor, stop)
        if fits(cursor.plan, stop.output) and threads.finish_alone(
            cursor.settled(ThreadState.ENDED, "end"), stop.output, stop.result, stop.reason
        ):
            return []
    run = runs.lock_run(cursor.claim.run_id)
    if run is None:
        return None
    settled, _ = threads.settle([cursor.settled(ThreadState.ENDED, "end")], None)
    if not settled:
        return None
    complete(run, cursor.plan, cursor.context)
    return []
