"""How long runs have waited for people: themselves, or by a child run that they wait for."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from workflows import clock
from workflows.models import Run, Suspension
from workflows.states import SuspensionState

#: From when until when.
Span = tuple[datetime, datetime]


def time_on_people(run_id: UUID) -> timedelta:
    """Return how long a run has waited for people so far; waits at the same time count once."""
    total, until = timedelta(0), None
    for opened, over in sorted(_waits(run_id)):
        start = opened if until is None else max(opened, until)
        until = max(over, start)
        total += until - start
    return total


def is_waiting_for_people(run_id: UUID) -> bool:
    """Tell whether a run waits for people now, itself or by a child that it waits for."""
    level = [run_id]
    waits = Suspension.objects.filter(state=SuspensionState.OPEN)
    while level:
        here = waits.filter(run_id__in=level)
        if here.filter(kind="person").exists():
            return True
        level = list(Run.objects.filter(asked_by__in=here).values_list("pk", flat=True))
    return False


def _waits(run_id: UUID) -> Iterator[Span]:
    """Yield when people were waited for; below a child no longer than it was waited for."""
    now = clock.now()
    level: dict[UUID, Span | None] = {run_id: None}
    while level:
        people = Suspension.objects.filter(run_id__in=level, kind="person")
        for run, opened, over in people.values_list("run_id", "opened_at", "over_at"):
            span = _both((opened, over or now), level[run])
            if span is not None:
                yield span
        asked = Run.objects.filter(asked_by__run_id__in=level)
        rows = asked.values_list("pk", "parent_id", "asked_by__opened_at", "asked_by__over_at")
        below = {pk: (parent, (opened, over or now)) for pk, parent, opened, over in rows}
        spans = {pk: _both(span, level[parent]) for pk, (parent, span) in below.items()}
        level = {pk: span for pk, span in spans.items() if span is not None}


def _both(one: Span, other: Span | None) -> Span | None:
    """Return when both are, or None when never."""
    if other is not None:
        one = max(one[0], other[0]), min(one[1], other[1])
    return one if one[0] < one[1] else None
