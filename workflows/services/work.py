"""What a message makes a worker do: move one thread, or work on a group for a while."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from uuid import UUID

from django.db import Error, transaction

from workflows import clock, conf
from workflows.engine.plans import load_plan
from workflows.engine.retries import may_be_done_together, may_stand_beside
from workflows.engine.verdicts import is_watched
from workflows.services.after import join_group, look_after, say
from workflows.services.driving import Shift, drive, own_transaction
from workflows.services.pace import MOST, NodePaces, Pace, pace_of
from workflows.services.turns import (
    Taken,
    claim_in_turn,
    claim_next,
    limits_of,
    may_stay,
    send_waiting,
)
from workflows.store import groups, runs, sweep, threads
from workflows.store.rows import Claim, GroupInfo
from workflows.store.threads import Next

logger = logging.getLogger("workflows.work")

#: A thread that has waited so long for its message shows that no worker is idle.
LATE = timedelta(seconds=0.02)
#: What is held up looks again after this at the latest: its limits may have changed.
LONGEST_PAUSE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Worked:
    """How a stretch of work ended: `has_more` after its time, `again_at` when it was held up."""

    has_more: bool = False
    again_at: datetime | None = None


def work_thread(thread_id: int, seq: int, *, queue: str) -> Worked:
    """Move one ready thread as far as it goes within a time slice.

    A thread that has moved on, or is claimed by another, is left alone: messages are only hints.
    """
    taken = claim_in_turn(queue, 1, lambda _count: claim_next(queue, thread_id, seq))
    if not taken.claims:
        if taken.again_at is None or may_stay(queue, thread_id):
            return Worked(again_at=taken.again_at)
        sweep.drop_message(thread_id, seq)
        return Worked()
    claim = taken.claims[0]
    if claim.group_id is None:
        claims, paces = _side_by_side(claim, queue)
        drive(claims, Shift(_deadline(), _nothing, Pace(), say, paces=paces))
    elif drive([claim], Shift(_deadline(), _handing_on(claim.group_id, queue), Pace(), say)):
        look_after(claim.group_id)
    send_waiting(queue)
    return Worked()


def _side_by_side(claim: Claim, queue: str) -> tuple[list[Claim], NodePaces]:
    """Return a claimed lone thread, with others that have waited for as long, and their paces.

    While one waits for the database, the next is at work. Only when all workers are late: else
    each of these threads has a worker of its own. Their messages find them gone.
    """
    run = runs.load_info(claim.run_id)
    paces = NodePaces(run.workflow)
    is_late = clock.now() - claim.queued_at > LATE and not clock.is_virtual()
    if not is_late or claim.attempt > 1 or limits_of(queue) is not None:
        return [claim], paces
    room = paces.room_beside(claim.node)
    if room <= 0 or not may_stand_beside(load_plan(run.version_id, run.digest)):
        return [claim], paces
    with own_transaction():
        return [claim, *threads.claim_beside(claim, run.version_id, room)], paces


def work_group(group_id: UUID, *, queue: str) -> Worked:
    """Claim, run and settle threads of a group for a time slice."""
    info = groups.load_group(group_id)
    run = runs.load_info(info.run_id)
    one_by_one = not may_be_done_together(load_plan(run.version_id, run.digest), info)
    pace = Pace(most=1) if one_by_one else pace_of(f"{run.workflow}:{info.node}")
    stretch = _Stretch(info, queue, pace, groups.window_of(group_id), is_watched(info))
    shift = Shift(
        _deadline(),
        stretch.following,
        pace,
        say,
        is_slot=not stretch.is_watched,
        one_by_one=one_by_one,
    )
    while monotonic() < shift.deadline:
        taken = stretch.first()
        if not taken.claims:
            if taken.again_at is not None:
                groups.expect_help(group_id, min(taken.again_at, clock.now() + LONGEST_PAUSE))
            return Worked(again_at=taken.again_at)
        drive(taken.claims, shift)
    return Worked(has_more=True)


def help_group(group_id: UUID, *, queue: str, sent_at: datetime | None = None) -> Worked:
    """Work on a group outside its chord, and join it if that was the last of it.

    A helper goes on until later ones are sent: else they would become more and more in a group
    whose messages wait behind the work of others.
    """
    worked = work_group(group_id, queue=queue)
    if worked.has_more and sent_at is not None and _is_relieved(group_id, queue, sent_at):
        return Worked()
    if not worked.has_more and worked.again_at is None:
        join_group(group_id)
    return worked


def _is_relieved(group_id: UUID, queue: str, sent_at: datetime) -> bool:
    # On a limited queue the same time says when those come back that are held up.
    return limits_of(queue) is None and groups.was_helped_since(group_id, sent_at)


def begin_slot(group_id: UUID, idx: int, hop: int) -> bool:
    """Note that a slot's message is executed; False when a newer one is on its way."""
    return groups.take_slot(group_id, idx, hop)


def end_slot(group_id: UUID, idx: int) -> None:
    """Note that a slot found nothing left. A repeated one cannot leave the join to the chord.

    Of two copies, one is counted by the chord while the other may still work: the last of them
    has to look. What goes wrong here is left to the sweeper: a failed part would stop the chord.
    """
    try:
        if groups.was_repeated(group_id, idx):
            join_group(group_id)
    except Error:
        logger.warning("the join of group %s is left to the sweeper", group_id, exc_info=True)


def pass_slot(group_id: UUID, idx: int, hop: int, send: Callable[[], object]) -> bool:
    """Send a slot's next message by `send`, once however often this one was delivered.

    The message is sent inside the transaction, against the rule: it is valid whether or not the
    commit follows, and a slot killed in between must not be lost.
    """
    with transaction.atomic():
        if not groups.lock_slot(group_id, idx, hop):
            return False
        send()
        groups.pass_slot(group_id, idx, hop)
    return True


def _deadline() -> float:
    return monotonic() + conf.settings().slice_seconds


def _nothing() -> Next | None:
    return None


def _handing_on(group_id: UUID, queue: str) -> Callable[[], Next | None]:
    """Hand the place in the window that a thread leaves on to a queued one of the same queue."""
    window = groups.window_of(group_id)
    if not window or limits_of(queue) is not None or groups.load_group(group_id).queue != queue:
        return _nothing
    if threads.count_live(group_id) > window:
        return _nothing  # it was made smaller
    return lambda: Next(group_id, 1, handover=True)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """How a slot takes threads of its group: within the window, as it was at the beginning.

    Of a watched group one at a time: the end of one may be the end of the others.
    """

    info: GroupInfo
    queue: str
    pace: Pace
    window: int
    is_watched: bool

    def following(self) -> Next | None:
        """Return what to claim together with a settlement."""
        if self.is_watched or limits_of(self.queue) is not None:
            return None
        return Next(self.info.id, self._share(), handover=bool(self.window))

    def first(self) -> Taken:
        """Claim threads with nothing in hand: in a window, as many as there are places."""
        if not self.window:
            return self._claim(self._share())
        with transaction.atomic():
            locked = groups.lock_group(self.info.id)
            if locked is None:
                return Taken([])
            # A second statement: in one, the count would be older than the lock.
            room = locked.parallel - threads.count_live(locked.pk) if locked.parallel else MOST
            return self._claim(min(self._share(), room)) if room > 0 else Taken([])

    def _claim(self, count: int) -> Taken:
        within = partial(threads.claim_queued, self.info.id, window=self.window)
        return claim_in_turn(self.queue, count, within)

    def _share(self) -> int:
        """Return how many threads to claim: the slot's share of the window, or of all, at most."""
        if self.is_watched:
            return 1
        slots, expected = self.info.slots, self.info.expected
        share = self.window // slots if self.window else -(-expected // slots)
        return min(self.pace.count(), max(1, share))
