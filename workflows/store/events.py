"""Events: each kept once, by source and id."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from workflows import clock
from workflows.models import Event
from workflows.store import candidates

#: Of so many waits an event says why it did not wake them.
MOST_MISSES = 50


def insert(**fields: Any) -> tuple[Event, bool]:
    """Keep an event, or return the one that came before with its source and id."""
    identity = {"source": fields.pop("source"), "external_id": fields.pop("external_id")}
    return Event.objects.get_or_create(**identity, defaults={**fields, "received_at": clock.now()})


def early(event_type: str, key: str) -> tuple[list[int], bool]:
    """Return the ids of kept events that nobody has taken yet, the oldest first.

    And whether there are candidates of this type and key, after which they come.
    """
    rows = Event.objects.filter(
        type=event_type, key=key, taken_at__isnull=True, expires_at__gt=clock.now()
    )
    left = candidates.are_left(event_type, key)
    found = list(rows.order_by("received_at", "pk").values_list("pk", left))
    return [event_id for event_id, _ in found], bool(found) and found[0][1]


def by_ids(event_ids: Collection[int]) -> dict[int, Event]:
    """Return events by their ids."""
    return Event.objects.in_bulk(event_ids)


def take(event: Event, suspension_id: UUID) -> None:
    """Note whom an event has woken."""
    event.taken_by = [*event.taken_by, str(suspension_id)]
    event.taken_at = event.taken_at or clock.now()
    Event.objects.filter(pk=event.pk).update(taken_by=event.taken_by, taken_at=event.taken_at)


def miss(event: Event, why: Sequence[tuple[UUID, str]]) -> None:
    """Note why waits were not woken by an event: (suspension id, reason) of each."""
    room = MOST_MISSES - len(event.misses)
    if room <= 0:
        return
    new = [{"suspension": str(wait), "why": reason} for wait, reason in why[:room]]
    event.misses = [*event.misses, *new]
    Event.objects.filter(pk=event.pk).update(misses=event.misses)
