"""Groups: opened with all their threads in one statement, joined once."""

from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Greatest

from workflows import clock
from workflows.errors import ContentLostError
from workflows.models import Slot, Thread, ThreadGroup
from workflows.states import GROUP_EDGES, THREAD_LIVE, THREAD_OVER, GroupState, ThreadState
from workflows.store import statements, transition
from workflows.store.rows import GroupInfo, Tally


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
    """Return a group with the context of its owner, which stands still while it is open.

    Kept by the process: what can be changed while the group is open is not in it.
    """
    group = ThreadGroup.objects.select_related("owner").get(pk=group_id)
    base = vars(group)["base"]
    info = GroupInfo(
        id=group.id,
        run_id=group.run_id,
        owner_id=group.owner_id,
        owner_group_id=group.owner.group_id,
        node=group.node,
        parts=group.parts,
        merge=group.merge,
        queue=group.queue,
        expected=group.expected,
        slots=group.slots,
        steps_before=group.steps_before,
        is_open=group.state == GroupState.OPEN,
        has_base=group.state == GroupState.OPEN or base is not None,
        # As it stands in the row: nothing is read yet.
        origin=base if base is not None else vars(group.owner)["context"],
    )
    with suppress(ContentLostError):  # told to whoever needs it, so that the run can be failed
        info.base  # noqa: B018 - kept now, while its owner still refers to it
    return info


def lock_group(group_id: UUID) -> ThreadGroup | None:
    """Lock an open group; None when it was joined or cancelled."""
    locked = ThreadGroup.objects.select_for_update(no_key=True).filter(pk=group_id)
    return locked.filter(state=GroupState.OPEN).first()


def window_of(group_id: UUID) -> int:
    """Return how many parts of a group may live at once, as it is now; 0 is no limit."""
    return ThreadGroup.objects.values_list("parallel", flat=True).get(pk=group_id)


def has_room(group_id: UUID) -> bool:
    """Tell whether parts wait behind a window in which a place is free."""
    window = window_of(group_id)
    if not window:
        return False
    threads = Thread.objects.filter(group_id=group_id)
    if not threads.filter(state=ThreadState.QUEUED).exists():
        return False
    return threads.filter(state__in=THREAD_LIVE).count() < window


def is_startable(group_id: UUID) -> bool:
    """Tell whether a queued part of a group may be claimed now."""
    queued = Thread.objects.filter(group_id=group_id, state=ThreadState.QUEUED)
    return queued.exists() and (not window_of(group_id) or has_room(group_id))


def open_groups(run_id: UUID, node: str) -> list[ThreadGroup]:
    """Return the open groups of a split, the oldest first."""
    rows = ThreadGroup.objects.filter(run_id=run_id, node=node, state=GroupState.OPEN)
    return list(rows.order_by("opened_at", "pk"))


def change(group: ThreadGroup, **fields: Any) -> None:
    """Change the limits of a locked group."""
    for name, value in fields.items():
        setattr(group, name, value)
    ThreadGroup.objects.filter(pk=group.pk).update(**fields)


def contributions(group_id: UUID, **where: Any) -> list[tuple[int, str, Any]]:
    """Return (index, state, contribution) of each thread of a group, in their order."""
    rows = Thread.objects.filter(group_id=group_id, **where).order_by("idx")
    return list(rows.values_list("idx", "state", "contribution"))


def count_failed(group_id: UUID) -> int:
    """Return how many threads of a group have failed; ask under its lock."""
    return Thread.objects.filter(group_id=group_id, state=ThreadState.FAILED).count()


def has_arrived(group_id: UUID) -> bool:
    """Tell whether a thread of a group has reached its join."""
    return Thread.objects.filter(group_id=group_id, state=ThreadState.ARRIVED).exists()


def tally(group_id: UUID) -> Tally:
    """Return how far the threads of a group are; ask under its lock."""
    rows = Thread.objects.filter(group_id=group_id).values_list("state").annotate(Count("id"))
    counts: Counter[str] = Counter(dict(rows.order_by("state")))
    live = sum(count for state, count in counts.items() if state not in THREAD_OVER)
    arrived, ended = counts[ThreadState.ARRIVED], counts[ThreadState.ENDED]
    return Tally(arrived, ended, counts[ThreadState.FAILED], live)


def count_steps(group_ids: Collection[UUID]) -> int:
    """Return how many nodes the threads of these groups have executed, and what they joined."""
    threads = Thread.objects.filter(group_id__in=group_ids)
    done = threads.aggregate(steps=Sum(F("seq") + F("joined_steps")))
    return done["steps"] or 0


def around(group_id: UUID) -> tuple[str, str, Any, UUID | None]:
    """Return a group's state, node and tolerance, and the group around it, if there is one."""
    rows = ThreadGroup.objects.filter(pk=group_id)
    return rows.values_list("state", "node", "tolerate", "owner__group_id").get()


def inside(group_id: UUID, *, of_standing: bool = False) -> dict[UUID, str]:
    """Return the state of each group that was opened inside of a group, however deep, by its id.

    With `of_standing` only inside of the group's parts that are not over.
    """
    groups = ThreadGroup.objects.filter(owner__group_id=group_id)
    if of_standing:
        groups = groups.exclude(owner__state__in=THREAD_OVER)
    found: dict[UUID, str] = {}
    while front := dict(groups.values_list("pk", "state")):
        found |= front
        groups = ThreadGroup.objects.filter(owner__group_id__in=list(front))
    return found


def keep_base(group: ThreadGroup, context: Any) -> None:
    """Keep the context of a locked group's owner for the parts that go on without the group."""
    ThreadGroup.objects.filter(pk=group.pk).update(base=context)


def close(group: ThreadGroup, event: str = "join") -> None:
    """Mark a locked group as joined, or as failed (`fail`)."""
    group.state = transition.follow(GROUP_EDGES, group.state, event)
    group.joined_at = clock.now() if event == "join" else None
    fields = {"state": group.state, "joined_at": group.joined_at}
    ThreadGroup.objects.filter(pk=group.pk).update(**fields)


def cancel_all(run_ids: Collection[UUID], within: Collection[UUID] | None = None) -> None:
    """Cancel the open groups of runs, or those of them that are among `within`."""
    groups = ThreadGroup.objects.filter(run_id__in=run_ids, state=GroupState.OPEN)
    if within is not None:
        groups = groups.filter(pk__in=within)
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
    """Return (id, queue, slots that are missing) of open groups with queued threads.

    A slot is at work when a process has claimed a thread on the group's queue. While one of them
    is held up by a thread that takes long, the others may have been lost.
    A window full of sleepers does not stand still: it waits as they do.
    """
    groups = _short_of_slots().filter(opened_at__lt=helped_before)
    groups = groups.exclude(helped_at__gte=helped_before).annotate(missing=F("slots") - F("busy"))
    rows = list(groups.order_by("opened_at").values_list("pk", "queue", "missing")[:limit])
    ThreadGroup.objects.filter(pk__in=[row[0] for row in rows]).update(helped_at=clock.now())
    return rows


def first_standing() -> datetime | None:
    """Return since when the first of the groups that stand still was not helped."""
    groups = _short_of_slots().annotate(
        since=Greatest("opened_at", Coalesce("helped_at", "opened_at"))
    )
    return groups.order_by("since").values_list("since", flat=True).first()


def _short_of_slots() -> QuerySet[ThreadGroup]:
    """Return the open groups with queued threads, room for them, and not all slots at work."""
    queued = Thread.objects.filter(group=OuterRef("pk"), state=ThreadState.QUEUED)
    live = Count("threads", filter=Q(threads__state__in=THREAD_LIVE))
    here = Q(threads__state=ThreadState.RUNNING, threads__queue=F("queue"))
    return ThreadGroup.objects.annotate(live=live, busy=_count_claimants(here)).filter(
        Q(parallel=0) | Q(live__lt=F("parallel")),
        Exists(queued),
        busy__lt=F("slots"),
        state=GroupState.OPEN,
    )


def _count_claimants(which: Q) -> Count:
    return Count("threads__claimed_by", filter=which, distinct=True)


def was_helped_since(group_id: UUID, moment: Any) -> bool:
    """Tell whether the sweeper has sent helpers to a group after `moment`."""
    return ThreadGroup.objects.filter(pk=group_id, helped_at__gt=moment).exists()


def expect_help(group_id: UUID, until: Any) -> None:
    """Note that whoever works on a group comes back: the sweeper need not send helpers so soon."""
    ThreadGroup.objects.filter(pk=group_id).update(helped_at=until)
