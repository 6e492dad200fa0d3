"""Suspensions: opened with the thread's falling asleep, over exactly once."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from workflows import clock
from workflows.models import Suspension
from workflows.states import SUSPENSION_EDGES, SuspensionState
from workflows.store import candidates, transition

_LONG = ("context", "resume", "contribution", "frames")


def insert(**fields: Any) -> Suspension:
    """Open a suspension."""
    return Suspension.objects.create(opened_at=clock.now(), **fields)


def by_id(suspension_id: UUID) -> Suspension | None:
    """Return a suspension without locking it, and its thread without its contexts."""
    rows = Suspension.objects.filter(pk=suspension_id).select_related("thread")
    return rows.defer(*(f"thread__{name}" for name in _LONG)).first()


def resolve(suspension_id: UUID, by: str, **fields: Any) -> bool:
    """Resolve an open suspension: exactly one of all who try succeeds."""
    state = transition.follow(SUSPENSION_EDGES, SuspensionState.OPEN, "resolve")
    rows = Suspension.objects.filter(pk=suspension_id, state=SuspensionState.OPEN)
    return bool(rows.update(state=state, over_at=clock.now(), resolved_by=by, **fields))


def close_all(
    run_ids: Collection[UUID], within: Collection[UUID] | None = None
) -> list[Suspension]:
    """Close the open suspensions of runs, or of their groups `within`, and return them."""
    rows = Suspension.objects.filter(run_id__in=run_ids, state=SuspensionState.OPEN)
    if within is not None:
        rows = rows.filter(thread__group_id__in=within)
    closed = list(rows.order_by("pk").select_for_update(of=("self",)))
    for _ in closed:
        transition.follow(SUSPENSION_EDGES, SuspensionState.OPEN, "close")
    Suspension.objects.filter(pk__in=[row.pk for row in closed]).update(
        state=SuspensionState.CLOSED, over_at=clock.now()
    )
    return closed


def runs_that_ask(run_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these runs in which a person is asked."""
    rows = Suspension.objects.filter(run_id__in=run_ids, state=SuspensionState.OPEN, kind="person")
    return set(rows.values_list("run_id", flat=True))


def due(limit: int) -> list[UUID]:
    """Return open suspensions whose time has come, the earliest first."""
    rows = Suspension.objects.filter(state=SuspensionState.OPEN, wake_at__lte=clock.now())
    return list(rows.order_by("wake_at").values_list("pk", flat=True)[:limit])


def lock_unsent(suspension_id: UUID) -> Suspension | None:
    """Lock a wait for a task whose message was not sent; None when somebody else is at it."""
    rows = Suspension.objects.select_for_update(skip_locked=True).filter(pk=suspension_id)
    return rows.filter(state=SuspensionState.OPEN, kind="task", is_asked=False).first()


def mark_sent(wait: Suspension) -> None:
    """Note that the message of a locked wait for a task was sent."""
    Suspension.objects.filter(pk=wait.pk).update(is_asked=True)


def unsent(limit: int) -> list[UUID]:
    """Return waits for tasks whose messages were never sent, the oldest first."""
    rows = Suspension.objects.filter(state=SuspensionState.OPEN, kind="task", is_asked=False)
    return list(rows.order_by("opened_at").values_list("pk", flat=True)[:limit])


def next_due() -> datetime | None:
    """Return when the next open suspension falls due."""
    rows = Suspension.objects.filter(state=SuspensionState.OPEN, wake_at__isnull=False)
    return rows.order_by("wake_at").values_list("wake_at", flat=True).first()


def waiting_for(event_type: str, key: str) -> tuple[list[tuple[UUID, UUID]], bool]:
    """Return the ids of the open waits for an event and of their runs, the oldest wait first.

    Those of one moment are in the order of their threads. And whether there are candidates of
    this type and key, after which they come.
    """
    rows = Suspension.objects.filter(
        state=SuspensionState.OPEN, kind="event", event_type=event_type, event_key=key
    )
    left = candidates.are_left(event_type, key)
    found = list(rows.order_by("opened_at", "thread_id").values_list("pk", "run_id", left))
    return [(wait, run) for wait, run, _ in found], bool(found) and found[0][2]


def open_by_ids(suspension_ids: Collection[UUID]) -> dict[UUID, Suspension]:
    """Return suspensions with their threads by their ids; those that are over are left out."""
    rows = Suspension.objects.filter(state=SuspensionState.OPEN).select_related("thread")
    return rows.in_bulk(suspension_ids)


def lock_correlation(event_type: str, key: str) -> None:
    """Let no event of this type and key arrive while a wait for it opens, and the reverse.

    Taken before every other lock. SQLite's writers are one after the other anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", [event_type, key]
            )


def keep_collected(suspension: Suspension, collected: list[Any]) -> bool:
    """Keep the events that a wait has collected so far; False when it is over."""
    suspension.collected = collected
    rows = Suspension.objects.filter(pk=suspension.pk, state=SuspensionState.OPEN)
    return bool(rows.update(collected=collected))
