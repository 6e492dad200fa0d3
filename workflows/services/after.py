"""What is done after a commit: messages, joins, and the look whether a run has fallen asleep."""

import logging
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.db import Error, transaction

from workflows.dispatch import publish
from workflows.engine.commands import fail_lost, join
from workflows.engine.hints import (
    ChildrenOrphaned,
    ContextLost,
    EventEmitted,
    EventLeft,
    GroupEnding,
    GroupOpened,
    GroupWaiting,
    GroupWidened,
    Hint,
    LockLeft,
    LockWanted,
    TaskUnsent,
    ThreadReady,
    ThreadSlept,
)
from workflows.errors import ContentLostError
from workflows.services import locks
from workflows.services.delivering import deliver_candidates, deliver_emitted
from workflows.services.orphans import cancel_orphans
from workflows.services.sending import send_task
from workflows.store import groups, runs, threads

logger = logging.getLogger("workflows.after")


def say(hints: Sequence[Hint]) -> None:
    """Act on hints once the surrounding transaction, if any, has committed.

    A hint that is lost costs time only: the sweeper finds the same in the rows. So nothing that
    goes wrong here reaches the caller, whose work is committed.
    """
    if hints:
        # Not a partial: Django wants the name of what has failed.
        transaction.on_commit(lambda: _act(hints), robust=True)


def join_group(group_id: UUID) -> bool:
    """Join a group if everything in it is over; safe at any time, any number of times."""
    if not threads.is_group_over(group_id):
        return False
    info = groups.load_group(group_id)
    try:
        with transaction.atomic():
            hints = join.apply(group_id, info.run_id)
    except ContentLostError as lost:
        return fail_lost_run(info.run_id, lost, node=info.node)
    say(hints)
    return bool(hints)


def fail_lost_run(run_id: UUID, lost: ContentLostError, *, node: str) -> bool:
    """Fail a run of which a context is lost; False when it is final already."""
    logger.error("run %s fails at %s: %s", run_id, node, lost.message)
    with transaction.atomic():
        hints = fail_lost.apply(run_id, lost, node=node)
    say(hints)
    return bool(hints)


def look_after(group_id: UUID) -> None:
    """Join a group of which a thread is over, or let others take the place that it has left.

    Only for ends outside a slot: a slot claims what follows by itself.
    """
    if join_group(group_id):
        return
    if groups.has_room(group_id):
        publish.send_helpers(group_id, groups.load_group(group_id).queue, 1)


def match_emitted(event_id: int) -> bool:
    """Give an event that a step has sent to whoever waits for it; False when it was matched."""
    hints = deliver_emitted(event_id)
    say(hints)
    return bool(hints)


def stop_children(parents: Collection[UUID]) -> int:
    """Cancel the children of these runs that nobody waits for any more; return how many."""
    count, hints = cancel_orphans(parents)
    say(hints)
    return count


def free_locks(names: Iterable[str]) -> bool:
    """Let those come next who wait for these locks; tell whether anybody did."""
    hints = locks.free_locks(names)
    say(hints)
    return bool(hints)


def end_cycles(suspension_id: UUID) -> None:
    """End the cycle of waiters that a wait for locks has closed, if it has."""
    say(locks.end_cycles(suspension_id))


def send_tasks(waits: Sequence[UUID]) -> int:
    """Send the messages of tasks until one is not taken: then the broker is down for all.

    One that can never be sent, for whatever reason, must not keep the others from it.
    """
    count = 0
    for wait in waits:
        try:
            if not send_task(wait):
                break
        except Exception:
            logger.exception("the message of task %s could not be sent", wait)
        else:
            count += 1
    return count


def deliver_left(candidate_id: int) -> bool:
    """Offer what is left of events to waits; False when somebody has done that already."""
    hints = deliver_candidates(candidate_id)
    say(hints or [])
    return hints is not None


def fall_asleep(run_id: UUID) -> bool:
    """Mark a run as suspended when nothing in it can move; ask after the own commit."""
    if runs.can_move(run_id):
        return False
    with transaction.atomic():
        run = runs.lock_run(run_id)
        return run is not None and runs.fall_asleep(run)


def _call_help(hint: GroupWaiting) -> None:
    info = groups.load_group(hint.group_id)
    publish.send_helpers(info.id, info.queue, min(hint.count, info.slots))


def _act(hints: Sequence[Hint]) -> None:
    _send(hints)
    try:
        _look(hints)
    except Error:
        logger.warning("left to the sweeper after a database error", exc_info=True)


def _send(hints: Sequence[Hint]) -> None:
    """Send what is only a message."""
    publish.send_threads([hint for hint in hints if isinstance(hint, ThreadReady)])
    publish.send_deliveries([hint for hint in hints if isinstance(hint, EventLeft)])
    for hint in hints:
        if isinstance(hint, GroupOpened):
            publish.send_group(hint)
        elif isinstance(hint, GroupWidened):
            publish.send_helpers(hint.group_id, hint.queue, hint.slots)


def _look(hints: Sequence[Hint]) -> None:
    """Do what needs a look at the rows first."""
    for hint in hints:
        if isinstance(hint, GroupWaiting):
            _call_help(hint)
    for group_id in {hint.group_id for hint in hints if isinstance(hint, GroupEnding)}:
        look_after(group_id)
    # Before the look whether the run sleeps: its own event may wake it.
    for hint in hints:
        if isinstance(hint, EventEmitted):
            match_emitted(hint.event_id)
        elif isinstance(hint, ContextLost):
            fail_lost_run(hint.run_id, hint.lost, node=hint.node)
    send_tasks([hint.suspension_id for hint in hints if isinstance(hint, TaskUnsent)])
    stop_children([hint.run_id for hint in hints if isinstance(hint, ChildrenOrphaned)])
    _look_at_locks(hints)
    for run_id in {hint.run_id for hint in hints if isinstance(hint, ThreadSlept)}:
        fall_asleep(run_id)


def _look_at_locks(hints: Sequence[Hint]) -> None:
    free_locks({name for hint in hints if isinstance(hint, LockLeft) for name in hint.names})
    for hint in hints:
        if isinstance(hint, LockWanted):
            end_cycles(hint.suspension_id)
