"""How many threads of a run are where."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count

from workflows.models import Run, Thread
from workflows.states import THREAD_MOVING, THREAD_OVER, ThreadState


@dataclass(frozen=True, slots=True)
class ThreadCounts:
    """Threads of a run: in all, able to move, asleep, waiting for their group, over."""

    total: int
    moving: int
    suspended: int
    joining: int
    over: int


def thread_counts(run: Run) -> ThreadCounts:
    """Count a run's threads by what they are doing."""
    rows = Thread.objects.filter(run=run).values_list("state").annotate(Count("id"))
    found: Counter[str] = Counter(dict(rows.order_by("state")))
    return ThreadCounts(
        total=found.total(),
        moving=sum(found[state] for state in THREAD_MOVING),
        suspended=found[ThreadState.SUSPENDED],
        joining=found[ThreadState.JOINING],
        over=sum(found[state] for state in THREAD_OVER),
    )
