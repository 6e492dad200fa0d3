"""Moves claimed threads: runs them, settles them, claims what follows, until there is no more.

One loop serves a lone thread, the slots of a group and woken sleepers alike. What a thread needs
beyond a settlement is a command with a transaction of its own.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from time import monotonic

from django.db import DatabaseError, DataError, transaction

from workflows import conf
from workflows.engine.call import failure_from
from workflows.engine.command import Command
from workflows.engine.cursor import Cursor, open_cursor, reopen
from workflows.engine.hints import Hint, ThreadReady
from workflows.engine.interpret import interpret
from workflows.engine.settlements import hand_back, message_end
from workflows.errors import CeleriacError
from workflows.services.keeping import Watch, keeping
from workflows.services.legs import StaleClaimError, Written, run_leg
from workflows.services.pace import Pace
from workflows.states import ThreadState
from workflows.store import statements, threads
from workflows.store.rows import Claim, Settlement
from workflows.store.threads import Next

logger = logging.getLogger("workflows.driving")

#: Stop a round after this many times the time it was sized for: one slow thread among many.
PATIENCE = 2


@dataclass(slots=True)
class Round:
    """What one pass over the threads in hand leaves to be written together."""

    settlements: list[Settlement] = field(default_factory=list)
    written: list[Settlement] = field(default_factory=list)  # by a transaction of their own
    hints: list[Hint] = field(default_factory=list)
    cursors: dict[int, Cursor] = field(default_factory=dict)

    def let_go_of_written(self) -> None:
        """Settle once more what is written and would stay in hand, so that it can be given up."""
        kept = [item for item in self.written if item.event == "advance"]
        self.written = [item for item in self.written if item.event != "advance"]
        self.settlements += [replace(item, claim=item.continued(), history=()) for item in kept]


@dataclass(frozen=True, slots=True)
class Shift:
    """How to go on: until `deadline` (of `monotonic`), claiming what `following` says.

    `is_slot`: what is given up goes back to the group, for the slot comes again; otherwise each
    thread is sent by itself (also by the slot of a watched group, which may go on without it).
    """

    deadline: float
    following: Callable[[], Next | None]
    pace: Pace
    say: Callable[[list[Hint]], None]
    is_slot: bool = False


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
        work = _run(claims, cursors, shift.pace)
        late = monotonic() > shift.deadline
        if late:
            work.let_go_of_written()
            work.settlements = [_give_up(item, to_group=shift.is_slot) for item in work.settlements]
        settled, claims = _write(work, None if late else shift.following())
        settled |= {item.claim.thread_id for item in work.written}
        kept = [item for item in work.settlements + work.written if item.event == "advance"]
        claims = [item.continued() for item in kept if item.claim.thread_id in settled] + claims
        shift.say(work.hints + _ready(work.settlements + work.written, settled))
        cursors = work.cursors
        ended = ended or any(item.is_over for item in work.settlements + work.written)
    return ended


def _write(work: Round, following: Next | None) -> tuple[set[int], list[Claim]]:
    if not work.settlements and following is None:
        return set(), []
    try:
        with own_transaction():
            return threads.settle(work.settlements, following)
    except DataError:
        # One row that the database refuses must not hold up the others: each on its own.
        return {id_ for item in work.settlements for id_ in _write_alone(item)}, []


def _write_alone(item: Settlement) -> set[int]:
    try:
        with own_transaction():
            return threads.settle([item], None)[0]
    except DataError:
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


def _run(claims: list[Claim], cursors: dict[int, Cursor], pace: Pace) -> Round:
    work = Round()
    start = monotonic()
    patience = PATIENCE * conf.settings().batch_seconds
    # A thread whose worker died is started alone, so that it takes no innocent ones along.
    suspect = next((claim for claim in claims if claim.attempt > 1), None)
    with keeping(claims) as watch:
        for claim in claims:
            is_late = bool(work.cursors) and monotonic() - start > patience
            if is_late or (suspect is not None and claim is not suspect):
                work.settlements.append(hand_back(claim))
            else:
                _run_one(claim, cursors.get(claim.thread_id), work, watch)
    pace.note(monotonic() - start, len(work.cursors))
    return work


def _run_one(claim: Claim, before: Cursor | None, work: Round, watch: Watch) -> None:
    cursor = reopen(before, claim) if before is not None else open_cursor(claim)
    work.cursors[claim.thread_id] = cursor
    try:
        leg = run_leg(cursor, watch)
        if isinstance(leg, Command):
            work.hints += _carry_out(leg, cursor, work)
        elif isinstance(leg, Written):
            work.written += [leg.settlement] if leg.settlement else []
            work.hints += leg.hints
        else:
            work.settlements.append(leg)
    except (DatabaseError, StaleClaimError):
        # Nothing was written: the lease runs out, and the sweeper sends the thread again.
        logger.warning("thread %s lost its step at %s", claim.thread_id, claim.node, exc_info=True)


def _carry_out(command: Command, cursor: Cursor, work: Round) -> list[Hint]:
    """Apply a command in a transaction of its own; what it refuses fails the node."""
    if command.at_once is not None and command.at_once():
        return []
    before = (list(cursor.steps), cursor.seq)
    try:
        return _apply(command, work)
    except CeleriacError as error:
        cursor.steps, cursor.seq = before
        written = interpret(cursor, failure_from(error))
    if isinstance(written, Settlement):
        work.settlements.append(written)
        return []
    return _apply(written, work)


def _apply(command: Command, work: Round) -> list[Hint]:
    with transaction.atomic():
        hints = command.apply()
    if hints is not None and command.settlement is not None:
        work.written.append(command.settlement)
    return hints or []
