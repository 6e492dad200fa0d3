"""Whose turn it is on a limited queue: rates and places, counted in the database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from workflows import clock, conf
from workflows.services.driving import own_transaction
from workflows.store import control, threads
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
