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

    And whether there are candidates of this type and key, after which they come. An event that a
    step has just sent is not among them: the waits that were open before come first, and a wait
    that opens now is found when it is matched.
    """
    rows = Event.objects.filter(
        type=event_type,
        key=key,
        taken_at__isnull=True,
        delivered_at__isnull=False,
        expires_at__gt=clock.now(),
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


def undelivered(event_id: int) -> Event | None:
    """Return an event that has not been matched yet."""
    return Event.objects.filter(pk=event_id, delivered_at__isnull=True).first()


def take_undelivered(event: Event) -> list[Event]:
    """Note that the events of this type and key are matched now; return them, the oldest first.

    Under the lock on type and key, so that each is returned to one caller only.
    """
    rows = Event.objects.filter(type=event.type, key=event.key, delivered_at__isnull=True)
    found = list(rows.order_by("received_at", "pk"))
    Event.objects.filter(pk__in=[each.pk for each in found]).update(delivered_at=clock.now())
    return found


def all_undelivered(limit: int) -> list[int]:
    """Return the ids of events that no one has matched yet, the oldest first."""
    rows = Event.objects.filter(delivered_at__isnull=True).order_by("received_at", "pk")
    return list(rows.values_list("pk", flat=True)[:limit])
