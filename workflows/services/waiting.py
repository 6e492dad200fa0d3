"""Waiting for the end of a run, for callers who hold a connection open anyway."""

from collections.abc import Callable
from itertools import chain, repeat
from threading import Event
from time import monotonic
from uuid import UUID

from workflows.models import Run
from workflows.selectors.runs import run_by_id
from workflows.states import RUN_FINAL

#: Seconds between looks: short at first, for runs that are over at once, then easy on the database.
_PAUSES = (0.02, 0.04, 0.08, 0.16, 0.25)


def wait_for(
    run_id: Run | UUID | str, seconds: float, *, pause: Callable[[float], object] | None = None
) -> Run:
    """Return a run when it is final, or as it is after `seconds`.

    Not for use inside a transaction: what workers do there would not be seen.

    Args:
        run_id: the run, or its id.
        seconds: how long to wait at most.
        pause: lets so many seconds pass; the thread sleeps if left out.

    Raises:
        NotFoundError: there is no such run.
    """
    rest = pause or Event().wait
    until = monotonic() + seconds
    steps = chain(_PAUSES, repeat(0.5))
    while (run := run_by_id(run_id)).status not in RUN_FINAL:
        left = until - monotonic()
        if left <= 0:
            break
        rest(min(next(steps), left))
    return run
