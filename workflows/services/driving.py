"""Moves claimed threads: runs them, settles them, claims what follows, until there is no more.

One loop serves a lone thread, the slots of a group and woken sleepers alike. What a thread needs
beyond a settlement is a command with a transaction of its own.
"""

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from time import monotonic

from django.db import DataError, Error, transaction

from workflows import conf
from workflows.engine.call import failure_from
from workflows.engine.command import Command
from workflows.engine.commands import fail_lost
from workflows.engine.cursor import Cursor, open_cursor, reopen
from workflows.engine.frames import locks_left
from workflows.engine.hints import GroupEnding, GroupWaiting, Hint, ThreadReady
from workflows.engine.interpret import interpret
from workflows.engine.settlements import hand_back, message_end, put_off
from workflows.errors import CeleriacError, ContentLostError, ContentUnreachableError
from workflows.services.again import outlasting
from workflows.services.keeping import Watch, keeping
from workflows.services.legs import StaleClaimError, Written, run_leg
from workflows.services.pace import NodePaces, Pace
from workflows.services.rounds import Round, Share
from workflows.states import ThreadState
from workflows.store import statements, threads
from workflows.store.rows import Claim, Settlement
from workflows.store.threads import Next

logger = logging.getLogger("workflows.driving")

#: Stop a round after this many times the time it was sized for: one slow thread among many.
PATIENCE = 2
#: After this a thread asks again for its context, when the storage has not answered.
_OUTAGE_PAUSE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Shift:
    """How to go on: until `deadline` (of `monotonic`), claiming what `following` says.

    `is_slot`: what is given up goes back to the group, for the slot comes again; otherwise each
    thread is sent by itself (also by the slot of a watched group, which may go on without it).
    `one_by_one`: nothing is claimed beside a thread that stays in hand. `paces`: what the nodes
    cost, when several lone threads are in hand: those that others would make too late are given up.
    """

    deadline: float
    following: Callable[[], Next | None]
    pace: Pace
    say: Callable[[list[Hint]], None]
    is_slot: bool = False
    one_by_one: bool = False
    paces: NodePaces | None = None


def own_transaction() -> AbstractContextManager[object]:
    """Return a transaction, unless one statement is one already."""
    return nullcontext() if statements.is_its_own_commit() else transaction.atomic()


def drive(claims: list[Claim], shift: Shift) -> bool:
    """Move threads until none is left in hand; return whether any thread of a group was over.

    Past the deadline nothing new is claimed, and what is in hand is given up to be sent again.
    """
    cursors: dict[int, Cursor] = {}
    ended = False
    while claims:
        cursors, share = _run(claims, cursors, shift)
        late = monotonic() > shift.deadline
        if late:
            share.let_go_of_written()
            share.settlements = [
                _give_up(item, to_group=shift.is_slot) for item in share.settlements
            ]
        known = share.settlements + share.written
        kept = [item for item in known if item.event == "advance"]
        following = shift.following() if not late and _may_claim(kept, shift) else None
        settled, claims = _write(share.settlements, following)
        settled |= {item.claim.thread_id for item in share.written}
        claims = [item.continued() for item in kept if item.claim.thread_id in settled] + claims
        left = locks_left(item for item in known if item.claim.thread_id in settled)
        shift.say([*share.hints, *_ready(known, settled), *left])
        claims = _fitting(claims, shift)
        ended = ended or any(item.is_over for item in known)
    return ended


def _fitting(claims: list[Claim], shift: Shift) -> list[Claim]:
    """Return the claims to go on with; the others are sent again, for anybody."""
    if shift.paces is None or len(claims) <= 1:
        return claims
    count = shift.paces.fitting([claim.node for claim in claims])
    if count < len(claims):
        given = [hand_back(claim) for claim in claims[count:]]
        settled, _ = _write(given, None)
        shift.say(_ready(given, settled))
    return claims[:count]


def _may_claim(kept: list[Settlement], shift: Shift) -> bool:
    """Tell whether others may join those in hand: not one that has been lost with a worker."""
    return not kept if shift.one_by_one else all(item.attempt <= 1 for item in kept)


def _write(settlements: list[Settlement], following: Next | None) -> tuple[set[int], list[Claim]]:
    if not settlements and following is None:
        return set(), []
    try:
        return outlasting(lambda: _settle(settlements, following))
    except (DataError, ContentUnreachableError):
        # One row that the database, or the storage, refuses must not hold up the others.
        return {id_ for item in settlements for id_ in _write_alone(item)}, []


def _settle(settlements: list[Settlement], following: Next | None) -> tuple[set[int], list[Claim]]:
    with own_transaction():
        return threads.settle(settlements, following)


def _write_alone(item: Settlement) -> set[int]:
    try:
        return outlasting(lambda: _settle([item], None))[0]
    except (DataError, ContentUnreachableError):
        logger.exception("thread %s could not be recorded", item.claim.thread_id)
        return set()


def _give_up(item: Settlement, *, to_group: bool) -> Settlement:
    """Turn a claim of the next step into a thread that waits its turn."""
    if item.event != "advance":
        return item
    return replace(
        item,
        state=ThreadState.QUEUED if to_group else ThreadState.READY,
        event="hand_back" if to_group else "wait_turn",
        attempt=0,
        lease_until=None if to_group else message_end(),
    )


def _ready(settlements: list[Settlement], settled: set[int]) -> list[Hint]:
    """Return the messages to send for threads that now wait for one."""
    return [
        ThreadReady(item.claim.thread_id, item.seq, item.queue, item.priority)
        for item in settlements
        if item.event == "wait_turn" and item.lease_until and item.claim.thread_id in settled
    ]


def _run(
    claims: list[Claim], cursors: dict[int, Cursor], shift: Shift
) -> tuple[dict[int, Cursor], Share]:
    work = Round(claims)
    start = monotonic()
    patience = PATIENCE * conf.settings().batch_seconds
    with keeping(claims, lambda: _break_up(work, shift)) as watch:
        while (claim := work.begin()) is not None:
            if work.cursors and monotonic() - start > patience:
                work.add(hand_back(claim))
            else:
                begun = monotonic()
                _run_one(claim, cursors.get(claim.thread_id), work, watch)
                if shift.paces is not None:
                    shift.paces.note(claim.node, monotonic() - begun)
    shift.pace.note(monotonic() - start, len(work.cursors))
    return work.cursors, work.end()


def _break_up(work: Round, shift: Shift) -> None:
    """Let go of all but the thread at work, which takes long: the others must not wait for it."""
    share = work.take_out()
    kept = [item for item in share.written if item.event == "advance"]
    given = share.settlements + [replace(item, claim=item.continued(), history=()) for item in kept]
    given = [_give_up(item, to_group=shift.is_slot) for item in given]
    given += [hand_back(claim) for claim in share.unbegun]
    settled, _ = _write(given, None)
    ended = [item for item in given + share.written if item.is_over]
    left = locks_left(item for item in given if item.claim.thread_id in settled)
    left += locks_left(share.written)
    shift.say([*share.hints, *_ready(given, settled), *_relief(given, ended), *left])


def _relief(given: list[Settlement], ended: list[Settlement]) -> list[Hint]:
    """Return what to say of the groups that somebody else has to look after now."""
    queued = Counter(item.claim.group_id for item in given if item.state == ThreadState.QUEUED)
    waiting = [GroupWaiting(id_, count) for id_, count in queued.items() if id_ is not None]
    over = {item.claim.group_id for item in ended}
    return [*waiting, *(GroupEnding(id_) for id_ in over if id_ is not None)]


def _run_one(claim: Claim, before: Cursor | None, work: Round, watch: Watch) -> None:
    try:
        cursor = reopen(before, claim) if before is not None else open_cursor(claim)
        work.cursors[claim.thread_id] = cursor
        leg = run_leg(cursor, watch)
        if isinstance(leg, Command):
            work.add(hints=_carry_out(leg, cursor, work))
        elif isinstance(leg, Written):
            work.add(written=leg.settlement, hints=leg.hints)
        else:
            work.add(leg)
    except ContentLostError as lost:
        work.add(hints=_fail_run(claim, lost))
    except ContentUnreachableError as away:
        logger.warning("thread %s waits at %s: %s", claim.thread_id, claim.node, away.message)
        if claim.thread_id not in work.cursors:  # nothing has begun, so nothing is counted
            work.add(put_off(claim, _OUTAGE_PAUSE))
    except (Error, StaleClaimError):
        # Nothing was written: the lease runs out, and the sweeper sends the thread again.
        logger.warning("thread %s lost its step at %s", claim.thread_id, claim.node, exc_info=True)


def _fail_run(claim: Claim, lost: ContentLostError) -> list[Hint]:
    logger.error("run %s fails at %s: %s", claim.run_id, claim.node, lost.message)
    with transaction.atomic():
        return fail_lost.apply(claim.run_id, lost, node=claim.node)


def _carry_out(command: Command, cursor: Cursor, work: Round) -> list[Hint]:
    """Apply a command in a transaction of its own; what it refuses fails the node."""
    if command.at_once is not None and outlasting(partial(_at_once, command.at_once)):
        return []
    before = cursor.copied()
    try:
        return outlasting(lambda: _apply(command, cursor, work))
    except (ContentLostError, ContentUnreachableError):
        raise
    except CeleriacError as error:
        cursor.go_back(before)
        written = interpret(cursor, failure_from(error))
    if isinstance(written, Settlement):
        work.add(written)
        return []
    return outlasting(lambda: _apply(written, cursor, work))


def _at_once(write: Callable[[], bool]) -> bool:
    with own_transaction():
        return write()


def _apply(command: Command, cursor: Cursor, work: Round) -> list[Hint]:
    before = cursor.copied()
    try:
        with transaction.atomic():
            hints = command.apply()
    except Error:
        cursor.go_back(before)
        raise
    if hints is not None and command.settlement is not None:
        work.add(written=command.settlement)
    return hints or []
