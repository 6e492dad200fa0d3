"""Children that nobody waits for any more: noted with what has made them so, cancelled later."""

from uuid import UUID

from workflows.engine.hints import ChildrenOrphaned, Hint
from workflows.store import runs


def leave_orphans(*run_ids: UUID) -> list[Hint]:
    """Note the children of locked runs that are to be cancelled, if there are any.

    Called by whatever has closed a wait for a child, or has cancelled the run. A child is locked
    before its parent; so they are cancelled in other transactions, by the hint or the sweeper.
    """
    return [ChildrenOrphaned(run_id) for run_id in runs.note_orphans(run_ids)]
