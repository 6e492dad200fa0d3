"""When a run is older than its limit."""

from datetime import datetime

from workflows.engine.plans import load_plan
from workflows.models import Run
from workflows.store import people, runs


def deadline_of(run: Run) -> datetime | None:
    """Return a run's deadline: time asleep on people counts against their waits' limits only."""
    info = runs.load_info(run.pk)
    limit = load_plan(info.version_id, info.digest).definition.limits.timeout
    return None if limit is None else run.created_at + limit + people.time_on_people(run.pk)
