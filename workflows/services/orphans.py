"""Cancels the child runs that nobody waits for any more, and the children of those."""

import logging
from collections.abc import Collection
from time import monotonic
from uuid import UUID

from django.db import DatabaseError, transaction

from workflows.engine.commands import cancel_run
from workflows.engine.hints import ChildrenOrphaned, Hint
from workflows.errors import CeleriacError
from workflows.services.again import made_again
from workflows.store import runs

logger = logging.getLogger("workflows.orphans")

#: How long one call goes on; the sweeper finds in the rows what is left.
_SECONDS = 1.0
#: How many are cancelled in one transaction: it holds their locks until its end.
_AT_ONCE = 50
_REASON = "the run that has started it no longer waits for it"


def cancel_orphans(parents: Collection[UUID]) -> tuple[int, list[Hint]]:
    """Cancel what the notes of these runs are about, and what is below it, level by level.

    Returns:
        How many were cancelled, and what else is to be said after it.
    """
    count, rest, broken = 0, list[Hint](), set[UUID]()
    waiting, deadline = list(parents), monotonic() + _SECONDS
    while waiting:
        level, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
        while found := runs.orphans_of(level, _AT_ONCE, without=broken):
            if monotonic() > deadline:
                return count, rest
            cancelled, hints = _try_to_cancel(found, broken)
            count += cancelled
            waiting += [hint.run_id for hint in hints if isinstance(hint, ChildrenOrphaned)]
            rest += [hint for hint in hints if not isinstance(hint, ChildrenOrphaned)]
        with transaction.atomic():
            runs.forget_orphans(level)
    return count, rest


def _try_to_cancel(found: list[UUID], broken: set[UUID]) -> tuple[int, list[Hint]]:
    """Cancel children together; when that fails one by one, so that one holds up no other."""
    try:
        return _cancel(found)
    except (DatabaseError, CeleriacError):
        logger.warning("child runs could not be cancelled: %s", found, exc_info=True)
        if len(found) == 1:
            broken.update(found)
            return 0, []
    count, hints = 0, list[Hint]()
    for child in found:
        cancelled, said = _try_to_cancel([child], broken)
        count, hints = count + cancelled, hints + said
    return count, hints


@made_again
def _cancel(children: list[UUID]) -> tuple[int, list[Hint]]:
    with transaction.atomic():
        return cancel_run.apply_to_orphans(children, reason=_REASON)
