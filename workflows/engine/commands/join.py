"""The last thread of a group is over: its owner goes on."""

from uuid import UUID

from workflows.engine.hints import Hint
from workflows.engine.joining import look_at
from workflows.store import groups, runs, threads


def apply(group_id: UUID, run_id: UUID) -> list[Hint]:
    """Join a group if it is time to; safe to call at any time, any number of times.

    It trusts the rows only, and asks them under the group's lock: the chord's body, the last
    thread and the sweeper may all call it, and one of them joins.
    """
    # The owner's end may be the run's: the run is locked first, as everywhere.
    run = runs.lock_run(run_id)
    group = groups.lock_group(group_id)
    if run is None or group is None or not threads.is_group_over(group_id):
        return []
    return look_at(run, group)
