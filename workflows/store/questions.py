"""Questions to people: one of a family of runs is asked at a time, in order of arrival."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, QuerySet

from workflows import clock
from workflows.models import QuestionAddressee, Run, Suspension
from workflows.states import SuspensionState

#: Where the data of a question have why it could not be asked.
REFUSED = "refused"


def lock_queue(run: Run) -> UUID:
    """Lock the question queue of a locked run's family; return the family.

    The lock is the row of the run at the top. The rows between are locked on the way up: whoever
    ends a child goes on to its parent, and then to the top, in this order.
    """
    above = run.parent_id
    while above is not None:
        row = Run.objects.select_for_update(no_key=True).filter(pk=above)
        above = row.values_list("parent_id", flat=True).first()
    return run.root_id or run.pk


def has_questions(run_id: UUID) -> bool:
    """Tell whether a run has questions in its family's queue."""
    return _open().filter(run_id=run_id).exists()


def take_place(family: UUID, due: timedelta | None) -> dict[str, Any]:
    """Return the fields of a question that arrives in a locked queue; alone, it is asked at once.

    Its time, `due`, counts from being asked.
    """
    last = _open().filter(family=family).aggregate(last=Max("turn"))["last"]
    wake_at = clock.now() + due if last is None and due is not None else None
    place = {"family": family, "turn": (last or 0) + 1, "is_asked": last is None}
    return {**place, "due_in": due, "wake_at": wake_at}


def next_question(family: UUID) -> Suspension | None:
    """Return the question of a locked queue whose turn it is; None while one is asked."""
    waiting = _open().filter(family=family)
    if waiting.filter(is_asked=True).exists():
        return None
    return waiting.select_related("thread").order_by("turn").first()


def ask(question: Suspension) -> None:
    """Note that a question is asked now: from here its time counts."""
    wake_at = clock.now() + question.due_in if question.due_in is not None else None
    Suspension.objects.filter(pk=question.pk).update(is_asked=True, wake_at=wake_at)


def refuse(question: Suspension, failure: dict[str, Any]) -> None:
    """Note that a question that was just asked cannot be asked: its time has come at once."""
    data = {**(question.data or {}), REFUSED: failure}
    Suspension.objects.filter(pk=question.pk).update(data=data, wake_at=clock.now())


def refusal_of(wait: Suspension) -> Any:
    """Return why a question could not be asked, as it was noted; None for any other wait."""
    return wait.data.get(REFUSED) if wait.family is not None and wait.data else None


def name_addressees(question: Suspension, to: Mapping[str, Sequence[str]]) -> None:
    """Write down whom a question is for: names of `groups` and `users`."""
    names = [(True, name) for name in to["groups"]] + [(False, name) for name in to["users"]]
    QuestionAddressee.objects.bulk_create(
        QuestionAddressee(suspension=question, is_group=is_group, name=name)
        for is_group, name in names
    )


def silent_families(limit: int) -> list[UUID]:
    """Return families in which questions wait although none is asked."""
    asked = _open().filter(family=OuterRef("family"), is_asked=True)
    rows = _open().filter(~Exists(asked), is_asked=False)
    found = rows.order_by().values_list("family", flat=True).distinct()[:limit]
    return [family for family in found if family is not None]


def _open() -> QuerySet[Suspension]:
    return Suspension.objects.filter(state=SuspensionState.OPEN, family__isnull=False)
