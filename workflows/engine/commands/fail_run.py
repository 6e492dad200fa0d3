"""A node failed for good, and nothing in the workflow takes the failure: the run fails."""

from workflows.engine.cursor import Cursor
from workflows.engine.ending import fail
from workflows.engine.hints import Hint
from workflows.nodes.outcomes import Fail
from workflows.states import ThreadState
from workflows.store import runs, threads


def apply(cursor: Cursor, failed: Fail) -> list[Hint] | None:
    """Fail the thread and the run; the error, node, attempt and input stay on both."""
    run = runs.lock_run(cursor.claim.run_id)
    if run is None:
        return None
    error = cursor.failure(failed)
    cursor.record("failed", input=failed.input, error=error)
    settled, _ = threads.settle([cursor.settled(ThreadState.FAILED, "fail")], None)
    if not settled:
        return None
    return fail(run, cursor.plan, {**error, "input": failed.input})
