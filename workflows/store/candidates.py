"""Candidates: the waits that events have still to be offered to, in their order.

All of this happens under the lock of the type and key (`suspensions.lock_correlation`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Exists, Min, QuerySet

from workflows import clock, conf
from workflows.models import Candidate, Event


class Pair(NamedTuple):
    """An event and a wait that it is to be offered to."""

    event_id: int
    suspension_id: UUID
    is_early: bool
    run_id: UUID
    id: int = 0  # none yet


def are_left(event_type: str, key: str) -> Exists:
    """Return, for a query, whether there are any of a type and key: what is new comes after."""
    return Exists(_of(event_type, key))


def insert(pairs: Iterable[Pair]) -> None:
    """Leave pairs for later."""
    due = _message_end()
    rows = [
        Candidate(
            event_id=pair.event_id,
            suspension_id=pair.suspension_id,
            is_early=pair.is_early,
            due_at=due,
        )
        for pair in pairs
    ]
    Candidate.objects.bulk_create(rows, batch_size=1000)


def correlation_of(candidate_id: int) -> tuple[str, str] | None:
    """Return the type and key of a candidate, None if it is done with."""
    rows = Candidate.objects.filter(pk=candidate_id)
    return rows.values_list("event__type", "event__key").first()


def first(event_type: str, key: str, limit: int) -> list[Pair]:
    """Return the first of a type and key."""
    rows = _of(event_type, key).order_by("pk")
    fields = ("event_id", "suspension_id", "is_early", "suspension__run_id", "pk")
    return [Pair(*row) for row in rows.values_list(*fields)[:limit]]


def remove(pairs: Iterable[Pair]) -> None:
    """Forget pairs that are done with."""
    Candidate.objects.filter(pk__in=[pair.id for pair in pairs]).delete()


def remove_event(event: Event) -> None:
    """Forget the waits that an event is not for any more because somebody has taken it."""
    rows = Candidate.objects.filter(event=event)
    (rows.filter(is_early=True) if event.deliver == "all" else rows).delete()


def lease_first(event_type: str, key: str) -> int | None:
    """Return the first of a type and key, and note that a message for it is sent now."""
    head = _of(event_type, key).order_by("pk").values_list("pk", flat=True).first()
    if head is not None:
        Candidate.objects.filter(pk=head).update(due_at=_message_end())
    return head


def take_due(limit: int) -> list[int]:
    """Lease those of which no message has come for too long; return their ids."""
    due = Candidate.objects.filter(pk__in=_heads(), due_at__lte=clock.now()).order_by("pk")
    ids = list(due.values_list("pk", flat=True)[:limit])
    Candidate.objects.filter(pk__in=ids).update(due_at=_message_end())
    return ids


def next_due() -> datetime | None:
    """Return when the next message falls due."""
    heads = Candidate.objects.filter(pk__in=_heads())
    return heads.order_by("due_at").values_list("due_at", flat=True).first()


def _of(event_type: str, key: str) -> QuerySet[Candidate]:
    return Candidate.objects.filter(event__type=event_type, event__key=key)


def _heads() -> list[int]:
    """Return the first of each type and key."""
    rows = Candidate.objects.values("event__type", "event__key").annotate(head=Min("pk"))
    return [row["head"] for row in rows]


def _message_end() -> datetime:
    return clock.now() + timedelta(seconds=conf.settings().message_seconds)
