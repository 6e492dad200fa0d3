"""Children that nobody waits for any more: noted with what has made them so, cancelled later."""

from uuid import UUID

from workflows.engine.hints import ChildrenOrphaned, Hint
from workflows.store import runs


def leave_orphans(run_id: UUID) -> list[Hint]:
    """Note the children of a locked run that are to be cancelled, if there are any.

    Called by whatever has closed a wait for a child, or has cancelled the run. A child is locked
    before its parent; so each is cancelled in a transaction of its own, by the hint or the sweeper.
    """
    return [ChildrenOrphaned(run_id)] if runs.note_orphans(run_id) else []
