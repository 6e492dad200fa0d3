"""Who waits for whom, by way of locks: what a search for a cycle of waiters reads.

Read without locks: a cycle stands still, so nothing of it changes while it is read.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from workflows.models import LockClaim, Suspension, Thread
from workflows.states import (
    THREAD_MOVING,
    THREAD_OVER,
    GroupState,
    LockState,
    SuspensionState,
    ThreadState,
)
from workflows.store import groups

#: Of a longer queue only so many are looked at: those at its head tell whether it stands.
_MOST_AHEAD = 500
#: Of a group with more parts that sleep nothing is known of the others.
MOST_PARTS = 500
#: What a thread can wait for that others have to do.
_FOR_OTHERS = ("child", "lock", "relock")
_AWAKE = THREAD_MOVING - {ThreadState.QUEUED}


@dataclass(frozen=True, slots=True)
class Waiter:
    """A thread that cannot move by itself.

    `claims` are those that wait, each with all that are before it in its queue. `others` are the
    threads that it waits for: those of its group `group_id` that sleep, or that of its child run.
    """

    thread_id: int
    run_id: UUID
    node: str
    claims: tuple[tuple[LockClaim, tuple[LockClaim, ...]], ...] = ()
    others: tuple[int, ...] = ()
    group_id: UUID | None = None


def load(thread_ids: Collection[int]) -> dict[int, Waiter]:
    """Return those of these threads that wait for other threads."""
    asleep = Thread.objects.filter(pk__in=thread_ids).only("pk", "run_id", "node", "state")
    found: dict[int, Waiter] = {}
    for thread in asleep.filter(state=ThreadState.JOINING):
        parts = _sleeping_parts(thread)
        if parts:
            others = tuple(pk for pk, _ in parts)
            found[thread.pk] = Waiter(
                thread.pk, thread.run_id, thread.node, (), others, parts[0][1]
            )
    return found | _at_waits(asleep.filter(state=ThreadState.SUSPENDED))


def _sleeping_parts(owner: Thread) -> list[tuple[int, UUID | None]]:
    parts = Thread.objects.filter(group__owner=owner, group__state=GroupState.OPEN)
    standing = parts.filter(state__in=(ThreadState.SUSPENDED, ThreadState.JOINING))
    return list(standing.order_by("pk").values_list("pk", "group_id")[:MOST_PARTS])


def _at_waits(asleep: QuerySet[Thread]) -> dict[int, Waiter]:
    """Return those who wait for a child run or for locks: a few queries, however many they are."""
    threads = asleep.in_bulk()
    waits = Suspension.objects.filter(state=SuspensionState.OPEN, kind__in=_FOR_OTHERS)
    at = dict(waits.filter(thread__in=list(threads)).values_list("pk", "thread_id"))
    claims: dict[int, list[tuple[LockClaim, tuple[LockClaim, ...]]]] = {}
    rows = LockClaim.objects.filter(suspension__in=list(at), state=LockState.WAITING)
    waiting = list(rows.order_by("id"))
    queues = _queues({claim.name for claim in waiting})
    for claim in waiting:
        claims.setdefault(claim.thread_id, []).append((claim, _ahead(claim, queues[claim.name])))
    roots = Thread.objects.filter(run__asked_by__in=list(at), group__isnull=True)
    live = roots.exclude(state__in=THREAD_OVER).values_list("pk", "run__asked_by_id")
    children = {at[wait]: pk for pk, wait in live}
    return {
        pk: Waiter(
            pk,
            threads[pk].run_id,
            threads[pk].node,
            tuple(claims.get(pk, ())),
            (children[pk],) if pk in children else (),
        )
        for pk in claims.keys() | children.keys()
    }


def _queues(names: Collection[str]) -> dict[str, list[LockClaim]]:
    """Return by name who holds a lock and who waits for it, the holders first."""
    queues: dict[str, list[LockClaim]] = {name: [] for name in names}
    if not names:
        return queues
    order = ("state", "id")
    place = Window(RowNumber(), partition_by="name", order_by=order)
    rows = LockClaim.objects.filter(name__in=names).exclude(state=LockState.LEFT)
    for claim in rows.annotate(place=place).filter(place__lte=_MOST_AHEAD).order_by(*order):
        queues[claim.name].append(claim)
    return queues


def _ahead(claim: LockClaim, queue: list[LockClaim]) -> tuple[LockClaim, ...]:
    # Who holds it is ahead, whenever they asked.
    return tuple(one for one in queue if one.state == LockState.HELD or one.pk < claim.pk)


def can_move(group_id: UUID) -> bool:
    """Tell whether any part of a group can move or is moving; not one behind a full window."""
    awake = Thread.objects.filter(group_id=group_id, state__in=_AWAKE)
    return awake.exists() or groups.is_startable(group_id)


def around(thread_id: int) -> list[int]:
    """Return a thread, and those that wait for it: owners of its groups, and of its run's wait."""
    found = [thread_id]
    front: int | None = thread_id
    while front is not None:
        rows = Thread.objects.filter(pk=front)
        owner, asked_by, wait = rows.values_list(
            "group__owner_id", "run__asked_by__thread_id", "run__asked_by__state"
        ).get()
        front = owner or (asked_by if wait == SuspensionState.OPEN else None)
        found += [front] if front is not None else []
    return found


def are_waited_for(thread_ids: Collection[int], *, but: UUID) -> bool:
    """Tell whether any of these threads has a lock, not counting what one wait has so far."""
    held = LockClaim.objects.filter(thread_id__in=thread_ids, state=LockState.HELD)
    return held.exclude(suspension_id=but).exists()


def standing_heads(limit: int) -> list[int]:
    """Return the heads of queues whose locks are held by threads that wait themselves."""
    others = Suspension.objects.filter(
        thread=OuterRef("thread"), state=SuspensionState.OPEN, kind__in=_FOR_OTHERS
    )
    holders = LockClaim.objects.filter(
        Q(thread__state=ThreadState.JOINING) | Exists(others),
        name=OuterRef("name"),
        state=LockState.HELD,
    )
    ahead = LockClaim.objects.filter(
        name=OuterRef("name"), state=LockState.WAITING, id__lt=OuterRef("id")
    )
    heads = LockClaim.objects.filter(Exists(holders), ~Exists(ahead), state=LockState.WAITING)
    return list(heads.order_by("id").values_list("thread_id", flat=True)[:limit])


def lock_cycles() -> None:
    """Let one process at a time end cycles: two must not end one each for the same cycle.

    Taken before every other lock, and by whoever has seen a cycle only.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext('cycles'), hashtext('of waiters'))"
            )
