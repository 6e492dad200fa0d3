"""A run is older than its limit."""

from uuid import UUID

from workflows import clock
from workflows.engine.deadlines import deadline_of
from workflows.engine.ending import fail
from workflows.engine.hints import Hint
from workflows.engine.plans import load_plan
from workflows.store import runs


def apply(run_id: UUID) -> list[Hint] | None:
    """Fail a run whose time is over; None when it is final, or has more time after all.

    Its deadline is put off when its own waits for people end, but not when those of its children
    do: they are looked at now.
    """
    run = runs.lock_run(run_id)
    if run is None:
        return None
    deadline = deadline_of(run)
    if deadline is None or deadline > clock.now():
        runs.put_off(run, deadline)
        return None
    plan = load_plan(run.version_id, runs.load_info(run.pk).digest)
    message = "The run is older than its limits.timeout allows."
    return fail(run, plan, {"code": "run_timeout", "message": message})
