"""Somebody cancels a run, or nobody waits for it any more."""

from collections.abc import Collection
from uuid import UUID

from workflows.engine.ending import cancel, cancel_together, undo
from workflows.engine.hints import Hint
from workflows.engine.plans import load_plan
from workflows.store import runs, suspensions


def apply(run_id: UUID, *, reason: str = "", compensate: bool = False) -> list[Hint] | None:
    """Stop everything in a run. None when it is final already.

    To compensate, the run goes on with one thread that undoes what is done, and then it is over.
    """
    run = runs.lock_run(run_id)
    if run is None:
        return None
    plan = load_plan(run.version_id, runs.load_info(run.pk).digest)
    if not compensate:
        return cancel(run, plan, reason)
    return [] if run.undoes else undo(run, plan, reason)


def apply_to_orphans(run_ids: Collection[UUID], *, reason: str) -> tuple[int, list[Hint]]:
    """Stop everything in child runs that nobody waits for, many at once; return how many.

    Those whose parent undoes what it has done undo what they have done. What undoes already goes
    on: somebody may have asked for it since they were found.
    """
    locked = [run for run in runs.lock_live(run_ids) if not run.undoes]
    undoing = runs.below_undoing(run_ids)
    # What a plug-in or the question queue has to hear of is closed run by run.
    alone = undoing | suspensions.runs_that_ask(run_ids)
    hints = cancel_together([run for run in locked if run.pk not in alone], reason)
    for run in locked:
        if run.pk in alone:
            plan = load_plan(run.version_id, runs.load_info(run.pk).digest)
            hints += (undo if run.pk in undoing else cancel)(run, plan, reason)
    return len(locked), hints
