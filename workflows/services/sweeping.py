"""The sweeper: finds in the rows whatever should have moved and did not, and moves it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from django.db import transaction

from workflows import clock, conf
from workflows.dispatch import publish
from workflows.engine.commands import fail_late, free_claims
from workflows.engine.hints import EventLeft, ThreadReady
from workflows.services.after import (
    fall_asleep,
    free_locks,
    join_group,
    match_emitted,
    say,
    send_tasks,
    stop_children,
)
from workflows.services.driving import own_transaction
from workflows.services.events import fire_timer
from workflows.services.locks import end_cycle_of, stuck_in_cycles
from workflows.services.questions import ask_again
from workflows.services.turns import limited_queues, send_waiting
from workflows.store import (
    candidates,
    contents,
    control,
    events,
    groups,
    locks,
    questions,
    runs,
    suspensions,
    sweep,
)
from workflows.store.threads import worker_name

T = TypeVar("T")
logger = logging.getLogger("workflows.sweeping")

#: Longer than a sweep takes; a sweeper that dies is replaced after this.
_LEASE_SECONDS = 10.0
#: A group that was just opened or helped is given this long to show that it moves.
PATIENCE = timedelta(seconds=3)
#: Large contexts that one sweep looks at: a storage of others may take its time for each.
_MOST_REMOVED = 50


@dataclass(frozen=True, slots=True)
class Swept:
    """How many of each sort were found and mended; all zero is the usual case."""

    freed: int = 0
    sent: int = 0
    timers: int = 0
    late: int = 0
    helped: int = 0
    joined: int = 0
    matched: int = 0
    asked: int = 0
    tasks: int = 0
    stopped: int = 0
    unlocked: int = 0  # locks with claims that did not count any more
    cycles: int = 0
    slept: int = 0
    forgotten: int = 0  # requests with a key, whose answers were kept long enough
    removed: int = 0  # large contexts that nothing refers to any more

    @property
    def total(self) -> int:
        mended = (self.freed, self.sent, self.timers, self.late, self.helped, self.joined)
        others = (self.matched, self.asked, self.tasks, self.stopped, self.unlocked, self.cycles)
        return sum((*mended, *others))

    @property
    def has_mended(self) -> bool:
        """Tell whether anything was done but sending messages again."""
        return self.total > self.sent


def sweep_once() -> Swept | None:
    """Sweep unless another process is at it: two beats cannot double it."""
    owner = worker_name()
    with transaction.atomic():
        if not control.take_lease("sweep", owner, _LEASE_SECONDS):
            return None
    try:
        return _sweep(conf.settings().sweep_limit)
    finally:
        with transaction.atomic():
            control.release_lease("sweep", owner)


def _sweep(limit: int) -> Swept:
    with transaction.atomic():
        freed = free_claims.apply(limit)
    due = move_due(limit)
    with own_transaction():
        standing = groups.standing_groups(limit, clock.now() - PATIENCE)
    for group_id, queue, slots in standing:
        publish.send_helpers(group_id, queue, slots)
    joined = _count(join_group, groups.finished_groups(limit))
    matched = _count(match_emitted, events.all_undelivered(limit))
    asked = _count(ask_again, questions.silent_families(limit))
    tasks = send_tasks(suspensions.unsent(limit))
    stopped = stop_children(runs.with_orphans(limit))
    unlocked = _count(_free_lock, locks.void_names(limit))
    cycles = _count(_end_cycle, stuck_in_cycles(limit))
    slept = _count(fall_asleep, sweep.sleepy_runs(limit))
    with transaction.atomic():
        forgotten = control.forget_old_requests(limit)
        unused = contents.perhaps_unused(min(limit, _MOST_REMOVED))
    removed = _count(_remove_content, unused)
    return replace(
        due,
        freed=freed,
        helped=len(standing),
        joined=joined,
        matched=matched,
        asked=asked,
        tasks=tasks,
        stopped=stopped,
        unlocked=unlocked,
        cycles=cycles,
        slept=slept,
        forgotten=forgotten,
        removed=removed,
    )


def move_due(limit: int) -> Swept:
    """Move what time alone has brought about: nothing else tells of it, even if nothing is lost."""
    timers = _count(fire_timer, suspensions.due(limit))
    limited = limited_queues()
    with transaction.atomic():
        ready = [ThreadReady(*row) for row in sweep.take_ready(limit, spare=limited)]
        left = [EventLeft(candidate_id) for candidate_id in candidates.take_due(limit)]
    publish.send_threads(ready)
    publish.send_deliveries(left)
    sent = len(ready) + len(left) + sum(send_waiting(queue) for queue in limited)
    late = _count(_fail_late, sweep.late_runs(limit))
    return Swept(sent=sent, timers=timers, late=late)


def _count(mend: Callable[[T], bool], found: list[T]) -> int:
    return sum(_try(mend, each) for each in found)


def _try(mend: Callable[[T], bool], found: T) -> bool:
    """Mend one thing; one that cannot be mended must not keep the others from it."""
    try:
        return mend(found)
    except Exception:
        logger.exception("%s of %s failed", mend.__name__, found)
        return False


def _free_lock(name: str) -> bool:
    free_locks([name])
    return True


def _end_cycle(thread_id: int) -> bool:
    hints = end_cycle_of(thread_id)
    say(hints)
    return bool(hints)


def _remove_content(digest: str) -> bool:
    with transaction.atomic():
        return contents.remove_unused(digest)


def _fail_late(run_id: UUID) -> bool:
    with transaction.atomic():
        hints = fail_late.apply(run_id)
    say(hints or [])
    return hints is not None
