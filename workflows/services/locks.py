"""What becomes of locks after a commit: the next ones are let in, cycles of waiters are ended."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from workflows.engine.commands import end_cycle
from workflows.engine.hints import Hint, LockLeft
from workflows.engine.lock_cycles import find_cycle, find_stuck
from workflows.engine.locking import look_at
from workflows.services.again import made_again
from workflows.store import suspensions, waiters

#: So many heads of queues are looked at together; what a search reads at most they share.
_TOGETHER = 100


def free_locks(names: Iterable[str]) -> list[Hint]:
    """Look at each of these locks, until nobody else can be let in; safe at any time."""
    hints: list[Hint] = []
    waiting = list(names)
    while waiting:
        found = _look_at(waiting.pop())
        waiting += [name for hint in found if isinstance(hint, LockLeft) for name in hint.names]
        hints += [hint for hint in found if not isinstance(hint, LockLeft)]
    return hints


def end_cycles(suspension_id: UUID) -> list[Hint]:
    """End the cycle of waiters that keeps a wait for locks open for ever, if there is one.

    Asked after the wait's own commit: of two that close a cycle at once, the later one sees it.
    """
    wait = suspensions.by_id(suspension_id)
    if wait is None:
        return []
    # Nobody can wait for a thread that has no lock, neither itself nor what it works inside of.
    inside = waiters.around(wait.thread_id)
    if not waiters.are_waited_for(inside, but=wait.pk) or find_cycle(wait.thread_id) is None:
        return []
    return end_cycle_of(wait.thread_id)


def stuck_in_cycles(limit: int) -> list[int]:
    """Return those at the head of a queue that can never go on: they stand in a cycle, or behind.

    Looked at many together, for most of them may wait for somebody who only takes long.
    """
    heads = waiters.standing_heads(limit)
    parts = (heads[at : at + _TOGETHER] for at in range(0, len(heads), _TOGETHER))
    return sorted({each for part in parts for each in find_stuck(part)})


@made_again
def _look_at(name: str) -> list[Hint]:
    with transaction.atomic():
        return look_at(name)


@made_again
def end_cycle_of(thread_id: int) -> list[Hint]:
    """End the cycle that keeps a thread from ever going on, if there is one."""
    with transaction.atomic():
        return end_cycle.apply(thread_id)
