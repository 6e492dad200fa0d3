"""A node failed for good, and its thread with it: then the run, or what puts up with it."""

from uuid import UUID

from workflows.compiler.plan import Plan
from workflows.engine.cursor import Cursor
from workflows.engine.ending import fail
from workflows.engine.frames import locks_left
from workflows.engine.hints import GroupEnding, Hint, ThreadSlept
from workflows.engine.joining import look_at
from workflows.nodes.outcomes import Fail
from workflows.states import GroupState, ThreadState
from workflows.store import groups, runs, threads


def apply(cursor: Cursor, failed: Fail) -> list[Hint] | None:
    """Fail the thread, and the run unless a split around the thread may take the failure.

    The error, node, attempt and input stay on what has failed. None when the claim was lost.
    """
    claim = cursor.claim
    run = runs.lock_run(claim.run_id)
    if run is None:
        return None
    error = cursor.failure(failed)
    cursor.record("failed", input=failed.input, error=error)
    kept = {**error, "input": failed.input}
    group_id = None if failed.fatal else claim.group_id
    is_caught = group_id is not None and _is_caught(cursor.plan, group_id)
    group = groups.lock_group(group_id) if is_caught and group_id is not None else None
    given = {"error": kept} if is_caught else None
    settlement = cursor.settled(ThreadState.FAILED, "fail", contribution=given)
    settled, _ = threads.settle([settlement], None)
    if not settled:
        return None
    if not is_caught:
        return fail(run, cursor.plan, kept)
    # A group that goes on without this part takes no notice of its failure.
    hints = look_at(run, group, has_failed=True) if group is not None else []
    hints = hints or [ThreadSlept(run.pk), *([GroupEnding(group.pk)] if group else [])]
    return [*hints, *locks_left([settlement])]


def _is_caught(plan: Plan, group_id: UUID) -> bool:
    """Tell whether any split around a thread may take its failure."""
    inner: UUID | None = group_id
    while inner is not None:
        state, node, tolerate, outer = groups.around(inner)
        is_left_behind = state != GroupState.OPEN
        if is_left_behind or tolerate is not None or "on_error" in plan.nodes[node].ports:
            return True
        inner = outer
    return False
