"""Groups: opened with all their threads in one statement, joined once."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q

from workflows import clock
from workflows.models import Slot, Thread, ThreadGroup
from workflows.states import GROUP_EDGES, THREAD_LIVE, THREAD_OVER, GroupState, ThreadState
from workflows.store import statements, transition
from workflows.store.rows import GroupInfo


def insert_group(group_id: UUID, *, starts: list[str], **fields: Any) -> ThreadGroup:
    """Add a group, its slots and its queued threads: thread i at `starts[i]`, or all at the one."""
    group = ThreadGroup.objects.create(id=group_id, opened_at=clock.now(), **fields)
    if len(starts) == 1 and statements.has_fused_statements():
        _insert_alike(group, starts[0])
    else:
        Thread.objects.bulk_create(
            (_queued(group, idx, starts[idx % len(starts)]) for idx in range(group.expected)),
            batch_size=1000,
        )
    Slot.objects.bulk_create(Slot(group=group, idx=idx) for idx in range(group.slots))
    return group


def _queued(group: ThreadGroup, idx: int, node: str) -> Thread:
    return Thread(
        run_id=group.run_id,
        group=group,
        idx=idx,
        state=ThreadState.QUEUED,
        node=node,
        came_from=group.node,
        queue=group.queue,
        wake_at=group.opened_at,
        moved_at=group.opened_at,
    )


def _insert_alike(group: ThreadGroup, node: str) -> None:
    """Insert all threads by one statement: ten thousand rows without ten thousand values."""
    with connection.cursor() as cursor:
        cursor.execute(
            statements.statement("insert_parts"),
            {
                "run": group.run_id,
                "group": group.id,
                "node": node,
                "came_from": group.node,
                "queue": group.queue,
                "now": group.opened_at,
                "count": group.expected,
            },
        )


@lru_cache(maxsize=16)
def load_group(group_id: UUID) -> GroupInfo:
    """Return an open group with the context of its owner, which stands still while it is open."""
    group = ThreadGroup.objects.select_related("owner").get(pk=group_id)
    return GroupInfo(
        id=group.id,
        run_id=group.run_id,
        owner_id=group.owner_id,
        owner_group_id=group.owner.group_id,
        node=group.node,
        parts=group.parts,
        merge=group.merge,
        queue=group.queue,
        expected=group.expected,
        parallel=group.parallel,
        slots=group.slots,
        base=group.owner.context or {},
    )


def lock_group(group_id: UUID) -> ThreadGroup | None:
    """Lock an open group; None when it was joined or cancelled."""
    locked = ThreadGroup.objects.select_for_update(no_key=True).filter(pk=group_id)
    return locked.filter(state=GroupState.OPEN).first()


def has_room(info: GroupInfo) -> bool:
    """Tell whether parts wait behind a window in which a place is free."""
    if not info.parallel:
        return False
    threads = Thread.objects.filter(group_id=info.id)
    if not threads.filter(state=ThreadState.QUEUED).exists():
        return False
    return threads.filter(state__in=THREAD_LIVE).count() < info.parallel


def contributions(group_id: UUID) -> list[tuple[str, Any]]:
    """Return (state, contribution) of each thread of a group, in the order of the definition."""
    rows = Thread.objects.filter(group_id=group_id).order_by("idx")
    return list(rows.values_list("state", "contribution"))


def close(group: ThreadGroup) -> None:
    """Mark a locked group as joined."""
    state = transition.follow(GROUP_EDGES, group.state, "join")
    ThreadGroup.objects.filter(pk=group.pk).update(state=state, joined_at=clock.now())


def cancel_all(run_ids: Collection[UUID]) -> None:
    """Cancel the open groups of runs."""
    groups = ThreadGroup.objects.filter(run_id__in=run_ids, state=GroupState.OPEN)
    if groups.update(state=GroupState.CANCELLED):
        transition.follow(GROUP_EDGES, GroupState.OPEN, "cancel")


def take_slot(group_id: UUID, idx: int, hop: int) -> bool:
    """Note an execution of a slot; False when a newer copy of it is on its way."""
    slots = Slot.objects.filter(group_id=group_id, idx=idx, hop__lte=hop)
    return bool(slots.update(hop=hop, runs=F("runs") + 1))


def lock_slot(group_id: UUID, idx: int, hop: int) -> bool:
    """Lock a slot's row if this hop is still the newest: only one copy passes the baton on."""
    slots = Slot.objects.select_for_update().filter(group_id=group_id, idx=idx, hop=hop)
    return slots.first() is not None


def pass_slot(group_id: UUID, idx: int, hop: int) -> None:
    """Note that the next hop of a locked slot was sent."""
    Slot.objects.filter(group_id=group_id, idx=idx).update(hop=hop + 1)


def was_repeated(group_id: UUID, idx: int) -> bool:
    """Tell whether a slot was executed more often than it was passed on."""
    return Slot.objects.filter(group_id=group_id, idx=idx, runs__gt=F("hop") + 1).exists()


def finished_groups(limit: int) -> list[UUID]:
    """Return open groups in which every thread is over."""
    standing = Thread.objects.filter(group=OuterRef("pk")).exclude(state__in=THREAD_OVER)
    groups = ThreadGroup.objects.filter(~Exists(standing), state=GroupState.OPEN)
    return list(groups.order_by("opened_at").values_list("pk", flat=True)[:limit])


def standing_groups(limit: int, helped_before: Any) -> list[tuple[UUID, str, int]]:
    """Return (id, queue, slots) of open groups with queued threads that nobody works on.

    A window full of sleepers does not stand still: it waits as they do.
    """
    threads = Thread.objects.filter(group=OuterRef("pk"))
    live = Count("threads", filter=Q(threads__state__in=THREAD_LIVE))
    groups = (
        ThreadGroup.objects.annotate(live=live)
        .filter(
            Q(parallel=0) | Q(live__lt=F("parallel")),
            Exists(threads.filter(state=ThreadState.QUEUED)),
            ~Exists(threads.filter(state=ThreadState.RUNNING)),
            state=GroupState.OPEN,
            opened_at__lt=helped_before,
        )
        .exclude(helped_at__gte=helped_before)
    )
    rows = list(groups.order_by("opened_at").values_list("pk", "queue", "slots")[:limit])
    ThreadGroup.objects.filter(pk__in=[row[0] for row in rows]).update(helped_at=clock.now())
    return rows


def expect_help(group_id: UUID, until: Any) -> None:
    """Note that whoever works on a group comes back: the sweeper need not send helpers so soon."""
    ThreadGroup.objects.filter(pk=group_id).update(helped_at=until)
