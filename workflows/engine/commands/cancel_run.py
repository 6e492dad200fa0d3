"""Somebody cancels a run, or it is older than its limit."""

from uuid import UUID

from workflows.engine.ending import cancel, fail
from workflows.engine.hints import Hint
from workflows.engine.plans import load_plan
from workflows.nodes.outcomes import JSONObject
from workflows.store import runs


def apply(run_id: UUID, *, reason: str = "", error: JSONObject | None = None) -> list[Hint] | None:
    """Stop everything in a run; with `error` it has failed. None when the run is final already."""
    run = runs.lock_run(run_id)
    if run is None:
        return None
    plan = load_plan(run.version_id, runs.load_info(run.pk).digest)
    return cancel(run, plan, reason) if error is None else fail(run, plan, error)
