"""Events: each kept once, by source and id."""

from typing import Any

from workflows import clock
from workflows.models import Event


def insert(**fields: Any) -> tuple[Event, bool]:
    """Keep an event, or return the one that came before with its source and id."""
    identity = {"source": fields.pop("source"), "external_id": fields.pop("external_id")}
    return Event.objects.get_or_create(**identity, defaults={**fields, "received_at": clock.now()})


def early(event_type: str, key: str) -> list[Event]:
    """Return kept events that nobody has taken yet, the oldest first.

    One that a step has just sent is not among them: the waits that were open before come first, and
    a wait that opens now is found when it is matched.
    """
    rows = Event.objects.filter(
        type=event_type,
        key=key,
        taken_at__isnull=True,
        delivered_at__isnull=False,
        expires_at__gt=clock.now(),
    )
    return list(rows.order_by("received_at", "pk"))


def take(event: Event, suspension_id: Any) -> None:
    """Note whom an event has woken."""
    event.taken_by = [*event.taken_by, str(suspension_id)]
    event.taken_at = event.taken_at or clock.now()
    Event.objects.filter(pk=event.pk).update(taken_by=event.taken_by, taken_at=event.taken_at)


def miss(event: Event, suspension_id: Any, why: str) -> None:
    """Note why a wait was not woken by an event."""
    event.misses = [*event.misses, {"suspension": str(suspension_id), "why": why}][:50]
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
