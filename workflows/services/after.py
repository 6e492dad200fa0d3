"""What is done after a commit: messages, joins, and the look whether a run has fallen asleep."""

import logging
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from django.db import Error, transaction

from workflows.dispatch import publish
from workflows.engine.commands import join
from workflows.engine.hints import (
    EventLeft,
    GroupEnding,
    GroupOpened,
    GroupWaiting,
    Hint,
    ThreadReady,
    ThreadSlept,
)
from workflows.store import groups, runs, threads

logger = logging.getLogger("workflows.after")


def say(hints: Sequence[Hint]) -> None:
    """Act on hints once the surrounding transaction, if any, has committed.

    A hint that is lost costs time only: the sweeper finds the same in the rows. So nothing that
    goes wrong here reaches the caller, whose work is committed.
    """
    if hints:
        transaction.on_commit(partial(_act, hints), robust=True)


def join_group(group_id: UUID) -> bool:
    """Join a group if everything in it is over; safe at any time, any number of times."""
    if not threads.is_group_over(group_id):
        return False
    with transaction.atomic():
        hints = join.apply(group_id, groups.load_group(group_id).run_id)
    say(hints)
    return bool(hints)


def look_after(group_id: UUID) -> None:
    """Join a group of which a thread is over, or let others take the place that it has left.

    Only for ends outside a slot: a slot claims what follows by itself.
    """
    if join_group(group_id):
        return
    info = groups.load_group(group_id)
    if groups.has_room(info):
        publish.send_helpers(group_id, info.queue, 1)


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
    slept = {hint.run_id for hint in hints if isinstance(hint, ThreadSlept)}
    ending = {hint.group_id for hint in hints if isinstance(hint, GroupEnding)}
    publish.send_threads([hint for hint in hints if isinstance(hint, ThreadReady)])
    publish.send_deliveries([hint for hint in hints if isinstance(hint, EventLeft)])
    for hint in hints:
        if isinstance(hint, GroupOpened):
            publish.send_group(hint)
    waiting = [hint for hint in hints if isinstance(hint, GroupWaiting)]
    try:
        for hint in waiting:
            _call_help(hint)
        for group_id in ending:
            look_after(group_id)
        for run_id in slept:
            fall_asleep(run_id)
    except Error:
        logger.warning("left to the sweeper after a database error", exc_info=True)
