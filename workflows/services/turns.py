"""Whose turn it is on a limited queue: rates and places, counted in the database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from workflows import clock, conf
from workflows.dispatch import publish
from workflows.engine.hints import ThreadReady
from workflows.services.after import say
from workflows.services.driving import own_transaction
from workflows.store import control, sweep, threads
from workflows.store.rows import Claim

#: When all places of a queue are taken, look again after this; whoever ends rings earlier.
_FULL = timedelta(seconds=0.25)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was claimed, and when to come back if a limit stood in the way."""

    claims: list[Claim]
    again_at: datetime | None = None


def limits_of(queue: str) -> conf.QueueSettings | None:
    """Return the limits of a queue, or None when it has none."""
    limits = conf.settings().queues.get(queue)
    if limits is None or (limits.rate is None and limits.concurrency is None):
        return None
    return limits


def limited_queues() -> list[str]:
    """Return the names of the queues that have limits."""
    return [name for name in conf.settings().queues if limits_of(name) is not None]


def send_waiting(queue: str) -> int:
    """Send the next threads that wait on a limited queue, in order; return how many.

    No more than can be served within a second: the others wait as rows, not as messages, and stand
    in nobody's way.
    """
    limits = limits_of(queue)
    if limits is None:
        return 0
    room = _room(queue, limits)
    if room <= 0:
        return 0
    with transaction.atomic():
        ready = [ThreadReady(*row) for row in sweep.take_ready(room, queue=queue)]
    publish.send_threads(ready)
    return len(ready)


def may_stay(queue: str, thread_id: int) -> bool:
    """Tell whether a message that came too soon may come back: those that are next, and no more."""
    limits = limits_of(queue)
    if limits is None:
        return True
    return thread_id in sweep.first_waiting(queue, max(_soon(queue, limits), 0))


def _room(queue: str, limits: conf.QueueSettings) -> int:
    """Return how many more messages of a queue can be served soon."""
    return _soon(queue, limits) - sweep.count_under_way(queue)


def _soon(queue: str, limits: conf.QueueSettings) -> int:
    """Return how many threads of a queue can be claimed within about a second."""
    soon = [int(limits.rate) + limits.burst] if limits.rate is not None else []
    if limits.concurrency is not None:
        soon.append(limits.concurrency - threads.count_running(queue))
    return min(soon)


def claim_next(queue: str, thread_id: int, seq: int) -> list[Claim]:
    """Claim the thread that a message names; on a limited queue, the one whose turn it is.

    There messages come back in any order. One that came too soon is sent again.
    """
    if limits_of(queue) is not None:
        is_others, first_id, first_seq = sweep.turn_of(queue, thread_id, seq)
        if is_others:
            say([ThreadReady(thread_id, seq, queue)])
            thread_id, seq = first_id, first_seq
    claimed = threads.claim_thread(thread_id, seq)
    return [claimed] if claimed is not None else []


def claim_in_turn(queue: str, count: int, claim: Callable[[int], list[Claim]]) -> Taken:
    """Claim up to `count` threads by `claim(n)`, within the limits of their queue.

    Tokens and places are taken in the transaction of the claim: neither can be lost between.
    """
    limits = limits_of(queue)
    if limits is None:
        with own_transaction():
            return Taken(claim(count))
    with transaction.atomic():
        state = control.lock_queue(queue)
        places = count
        if limits.concurrency is not None:
            places = min(count, limits.concurrency - threads.count_running(queue))
        if places <= 0:
            return Taken([], clock.now() + _FULL)
        claims, again_at = [], None
        granted, due = control.granted(state, limits, places)
        if granted:
            claims = claim(granted)
            control.spend(state, limits, len(claims))
        else:
            again_at = due
    return Taken(claims, again_at)
