"""Somebody cancels a run, or it is older than its limit."""

from uuid import UUID

from workflows.engine.ending import fail, stop_all
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
    if error is not None:
        fail(run, plan, error)
    else:
        stop_all(run, plan, "cancel")
        runs.finish(run, "cancel", reason=reason)
    return []
