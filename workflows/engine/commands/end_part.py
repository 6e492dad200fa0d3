"""A part of a group ends whose join need not wait for all: it is looked at in that transaction."""

from workflows.engine.command import Command
from workflows.engine.cursor import Cursor
from workflows.engine.frames import locks_left
from workflows.engine.hints import Hint, ThreadSlept
from workflows.engine.joining import look_at
from workflows.engine.verdicts import is_watched
from workflows.store import groups, runs, threads
from workflows.store.rows import Settlement


def prepare(cursor: Cursor, ended: Settlement) -> Settlement | Command:
    """Return what writes the end of a part: together with others, unless it has to be watched."""
    group = cursor.group
    if group is None or not is_watched(group):
        return ended
    return Command(lambda: apply(ended), settlement=ended)


def apply(ended: Settlement) -> list[Hint] | None:
    """End the part, and join its group if this is what it was waiting for.

    One part after the other, under the group's lock: the first N are exactly N, and the losers of
    a race are cancelled together with the winner's end. None when the claim was lost.
    """
    claim = ended.claim
    run = runs.lock_run(claim.run_id)
    if run is None or claim.group_id is None:
        return None
    group = groups.lock_group(claim.group_id)
    settled, _ = threads.settle([ended], None)
    if not settled:
        return None
    # A group that goes on without this part takes no notice of its end.
    hints = (look_at(run, group) if group is not None else []) or [ThreadSlept(run.pk)]
    return [*hints, *locks_left([ended])]
