"""Cancels the child runs that nobody waits for any more, and the children of those."""

import logging
from collections import deque
from collections.abc import Iterable
from time import monotonic
from uuid import UUID

from django.db import DatabaseError, transaction

from workflows.engine.commands import cancel_run
from workflows.engine.hints import ChildrenOrphaned, Hint
from workflows.services.again import made_again
from workflows.store import runs

logger = logging.getLogger("workflows.orphans")

#: How long one call goes on; the sweeper finds in the rows what is left.
_SECONDS = 1.0
_AT_ONCE = 500


def cancel_orphans(parents: Iterable[UUID]) -> tuple[int, list[Hint]]:
    """Cancel what the notes of these runs are about, each child in a transaction of its own.

    Returns:
        How many were cancelled, and what else is to be said after it.
    """
    count, rest = 0, list[Hint]()
    waiting, deadline = deque(parents), monotonic() + _SECONDS
    while waiting:
        parent = waiting.popleft()
        for child in runs.orphans_of(parent, _AT_ONCE):
            if monotonic() > deadline:
                return count, rest
            hints = _try_to_cancel(child, parent)
            count += hints is not None
            # Its own children are next: in this loop, however deep they go.
            waiting += [hint.run_id for hint in hints or () if isinstance(hint, ChildrenOrphaned)]
            rest += [hint for hint in hints or () if not isinstance(hint, ChildrenOrphaned)]
        with transaction.atomic():
            runs.forget_orphans(parent)
    return count, rest


def _try_to_cancel(child: UUID, parent: UUID) -> list[Hint] | None:
    """Cancel one child; one that cannot be cancelled now must not keep the others from it."""
    try:
        return _cancel(child, f"run {parent}, which has started it, no longer waits for it")
    except DatabaseError:
        logger.warning("child run %s is left to the sweeper", child, exc_info=True)
        return None


@made_again
def _cancel(child: UUID, reason: str) -> list[Hint] | None:
    with transaction.atomic():
        return cancel_run.apply(child, reason=reason)
