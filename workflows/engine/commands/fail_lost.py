"""The large context of a thread is lost: nothing of its run can go on."""

from uuid import UUID

from workflows.engine.ending import fail
from workflows.engine.hints import Hint
from workflows.engine.plans import load_plan
from workflows.errors import ContentLostError
from workflows.store import runs


def apply(run_id: UUID, lost: ContentLostError, *, node: str) -> list[Hint]:
    """Fail a run, if it is not final.

    Neither `retry` nor `on_error` nor a tolerance is asked: they would go on without the context.
    """
    run = runs.lock_run(run_id)
    if run is None:
        return []
    plan = load_plan(run.version_id, runs.load_info(run.pk).digest)
    return fail(run, plan, {"code": lost.code, "message": lost.message, "node": node})
