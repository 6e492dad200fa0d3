"""Somebody cancels a run, or nobody waits for it any more."""

from collections.abc import Collection
from uuid import UUID

from workflows.engine.ending import cancel, cancel_together
from workflows.engine.hints import Hint
from workflows.engine.plans import load_plan
from workflows.store import runs, suspensions


def apply(run_id: UUID, *, reason: str = "") -> list[Hint] | None:
    """Stop everything in a run. None when it is final already."""
    run = runs.lock_run(run_id)
    if run is None:
        return None
    return cancel(run, load_plan(run.version_id, runs.load_info(run.pk).digest), reason)


def apply_to_orphans(run_ids: Collection[UUID], *, reason: str) -> tuple[int, list[Hint]]:
    """Stop everything in child runs that nobody waits for, many at once; return how many."""
    locked = runs.lock_live(run_ids)
    # What a plug-in or the question queue has to hear of is closed run by run.
    asking = suspensions.runs_that_ask(run_ids)
    hints = cancel_together([run for run in locked if run.pk not in asking], reason)
    for run in locked:
        if run.pk in asking:
            hints += cancel(run, load_plan(run.version_id, runs.load_info(run.pk).digest), reason)
    return len(locked), hints
