"""What the sweeper looks for: anything that should have moved and did not."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q

from workflows import clock, conf
from workflows.models import Run, Suspension, Thread
from workflows.states import RUN_FINAL, THREAD_EDGES, GroupState, RunStatus, ThreadState
from workflows.store import people, transition
from workflows.store.rows import LostClaim


def free_lost_claims(limit: int) -> list[LostClaim]:
    """Take threads back from workers whose lease is over; return what they had claimed.

    A part that was on the queue of its group goes back to the group, any other thread becomes
    ready where it was. The attempt was counted at the claim and stays counted.
    """
    now = clock.now()
    lost = Thread.objects.filter(state=ThreadState.RUNNING, lease_until__lt=now)
    # A group that is not open any more has no queue to go back to.
    in_group = Q(queue=F("group__queue"), group__state=GroupState.OPEN)
    freed: list[LostClaim] = []
    for event, rows in (
        ("hand_back", lost.filter(in_group)),
        ("wait_turn", lost.filter(~in_group | Q(group__isnull=True))),
    ):
        found = list(_skip_locked(rows.defer("context", "resume", "contribution"))[:limit])
        Thread.objects.filter(id__in=[thread.pk for thread in found]).update(
            state=THREAD_EDGES["running", event],
            fence=F("fence") + 1,
            lease_until=None,
            wake_at=now,
        )
        if found:
            transition.follow(THREAD_EDGES, ThreadState.RUNNING, event)
        freed += [_lost_claim(thread) for thread in found]
    return freed


def _lost_claim(thread: Thread) -> LostClaim:
    # One that stayed in hand was claimed for this step by the commit of the last.
    begun = max(thread.claimed_at or thread.moved_at, thread.moved_at)
    return LostClaim(
        run_id=thread.run_id,
        thread_id=thread.pk,
        worker=thread.claimed_by or "",
        seq=thread.seq,
        attempt=thread.attempt,
        node=thread.node,
        came_from=thread.came_from,
        queued_at=begun if begun == thread.moved_at else thread.wake_at,
        started_at=begun,
        ended_at=thread.lease_until or begun,
    )


_IN_ORDER = ("priority", "wake_at", "id")


def take_ready(
    limit: int, *, queue: str | None = None, spare: Collection[str] = ()
) -> list[tuple[int, int, str, int]]:
    """Lease due threads that have no message for one; return their (id, seq, queue, priority).

    Of one queue only, or of all but those to `spare`.
    """
    now = clock.now()
    due = Thread.objects.filter(state=ThreadState.READY, wake_at__lte=now)
    due = due.exclude(queue__in=spare) if queue is None else due.filter(queue=queue)
    rows = due.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))
    ids = list(_skip_locked(rows.order_by(*_IN_ORDER)).values_list("id", flat=True)[:limit])
    chosen = Thread.objects.filter(id__in=ids)
    chosen.update(lease_until=now + timedelta(seconds=conf.settings().message_seconds))
    return list(chosen.order_by(*_IN_ORDER).values_list("id", "seq", "queue", "priority"))


def count_under_way(queue: str) -> int:
    """Return how many threads of a queue have a message under way."""
    return _waiting(queue).filter(lease_until__gte=clock.now()).count()


def first_waiting(queue: str, limit: int) -> list[int]:
    """Return the ids of the threads of a queue whose turn is next."""
    return list(_waiting(queue).order_by(*_IN_ORDER).values_list("id", flat=True)[:limit])


def turn_of(queue: str, thread_id: int, seq: int) -> tuple[bool, int, int]:
    """Return whose turn it is when a thread's message comes: (is it another's, its id, its seq)."""
    own = _waiting(queue).filter(id=thread_id, seq=seq)
    first = _waiting(queue).filter(Exists(own)).order_by(*_IN_ORDER)
    id_, its_seq = first.values_list("id", "seq").first() or (thread_id, seq)
    return id_ != thread_id, id_, its_seq


def _waiting(queue: str) -> models.QuerySet[Thread]:
    return Thread.objects.filter(state=ThreadState.READY, queue=queue, wake_at__lte=clock.now())


def drop_message(thread_id: int, seq: int) -> None:
    """Note that a thread's message was dropped: it waits as a row, and is sent in its turn."""
    rows = Thread.objects.filter(id=thread_id, seq=seq, state=ThreadState.READY)
    rows.update(lease_until=None)


def next_ready() -> datetime | None:
    """Return when the next ready thread may move."""
    rows = Thread.objects.filter(state=ThreadState.READY).order_by("wake_at")
    return rows.values_list("wake_at", flat=True).first()


def next_lost(*, messages: bool) -> datetime | None:
    """Return when the next claim counts as lost; with `messages`, or the next message does."""
    states = [ThreadState.RUNNING, *([ThreadState.READY] if messages else [])]
    rows = Thread.objects.filter(state__in=states, lease_until__gte=clock.now())
    ends = rows.order_by("lease_until").values_list("lease_until", flat=True).first()
    return None if ends is None else ends + timedelta(microseconds=1)


def next_deadline() -> datetime | None:
    """Return when the next run will be older than its limit; not while it waits for people."""
    rows = Run.objects.filter(deadline_at__isnull=False).order_by("deadline_at")
    deadlines = rows.values_list("pk", "deadline_at").iterator()
    return next((at for run, at in deadlines if not people.is_waiting_for_people(run)), None)


def late_runs(limit: int) -> list[UUID]:
    """Return runs that are older than their limit; while people are asked, time stands still."""
    asked = Suspension.objects.filter(run=OuterRef("pk"), state="open", kind="person")
    rows = Run.objects.filter(~Exists(asked), deadline_at__lte=clock.now())
    rows = rows.exclude(status__in=RUN_FINAL)
    return list(rows.order_by("deadline_at").values_list("pk", flat=True)[:limit])


def sleepy_runs(limit: int) -> list[UUID]:
    """Return runs that are marked as running while no thread of theirs is ready or running."""
    moving = Thread.objects.filter(
        run=OuterRef("pk"), state__in=(ThreadState.READY, ThreadState.RUNNING)
    )
    rows = Run.objects.filter(~Exists(moving), status=RunStatus.RUNNING)
    return list(rows.order_by("created_at").values_list("pk", flat=True)[:limit])


def _skip_locked(rows: models.QuerySet[Thread]) -> models.QuerySet[Thread]:
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return rows
