"""Threads that wait for each other by way of locks: found in the rows, and told in words.

A thread waits for those who are before it in the queue of a lock, for its branches at a join, and
for its child run. It is stuck when it cannot go on unless others go on that are stuck themselves.
Of a semaphore one holder that goes on is enough: not every circle of waiters is stuck.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from workflows.engine.verdicts import is_watched
from workflows.models import LockClaim
from workflows.states import LockState
from workflows.store import groups, waiters
from workflows.store.locks import Crowd
from workflows.store.waiters import Waiter

CODE = "lock_cycle"
#: So many threads are looked at; those beyond count as if they could go on.
_MOST = 2000

Waiters = Mapping[int, Waiter]


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle of waiters: who has to give up, whether it had its locks before, and all in words."""

    victim: UUID  # its suspension
    is_again: bool
    message: str


def find_cycle(thread_id: int) -> Cycle | None:
    """Return the cycle that keeps a thread from ever going on, if there is one."""
    found = _reached([thread_id])
    stuck = _stuck(found)
    if thread_id not in stuck:
        return None
    way = [thread_id]
    while (following := _blocker(found[way[-1]], stuck)) not in way:
        way.append(following)
    return _told([found[each] for each in way[way.index(following) :]], stuck)


def find_stuck(thread_ids: Collection[int]) -> set[int]:
    """Return which of these threads can never go on."""
    return _stuck(_reached(thread_ids)) & set(thread_ids)


def _reached(start: Collection[int]) -> Waiters:
    """Return all waiters that threads wait for, however far away, and themselves."""
    found: dict[int, Waiter] = {}
    front = set(start)
    while front and len(found) < _MOST:
        loaded = waiters.load(front)
        found |= loaded
        front = {each for waiter in loaded.values() for each in _blockers(waiter)} - found.keys()
    return found


def _blockers(waiter: Waiter) -> Iterator[int]:
    yield from waiter.others
    for _, ahead in waiter.claims:
        yield from (claim.thread_id for claim in ahead)


def _stuck(found: Waiters) -> set[int]:
    """Return those that can never go on: the others go on one after the other in thought.

    In the order in which they have asked, so that a long queue is through in one round.
    """
    stuck, before = dict.fromkeys(sorted(found, key=lambda each: _asked(found[each]))), 0
    while len(stuck) != before:
        before = len(stuck)
        for each in list(stuck):
            if _can_go_on(found[each], stuck):
                del stuck[each]
    return set(stuck)


def _asked(waiter: Waiter) -> int:
    return waiter.claims[0][0].pk if waiter.claims else 0


def _can_go_on(waiter: Waiter, stuck: Collection[int]) -> bool:
    if waiter.claims:
        return all(_is_let_in(claim, ahead, stuck) for claim, ahead in waiter.claims)
    held_up = sum(each in stuck for each in waiter.others)
    if not held_up or waiter.group_id is None:
        return not held_up
    if not is_watched(groups.load_group(waiter.group_id)):
        return False
    is_one_free = held_up < len(waiter.others) or len(waiter.others) >= waiters.MOST_PARTS
    return is_one_free or waiters.can_move(waiter.group_id)


def _is_let_in(claim: LockClaim, ahead: Collection[LockClaim], stuck: Collection[int]) -> bool:
    crowd = Crowd()
    for other in ahead:
        if other.thread_id in stuck:
            crowd = crowd.with_(other)
    return crowd.admits(claim)


def _blocker(waiter: Waiter, stuck: Collection[int]) -> int:
    """Return one of the stuck threads that a stuck one waits for."""
    edge = _edge(waiter, stuck)
    if edge is not None:
        return edge[1].thread_id
    return next(each for each in waiter.others if each in stuck)


def _edge(waiter: Waiter, stuck: Collection[int]) -> tuple[LockClaim, LockClaim] | None:
    """Return the claim that keeps a stuck thread, and the one before it that keeps that."""
    for claim, ahead in waiter.claims:
        if not _is_let_in(claim, ahead, stuck):
            standing = (other for other in ahead if other.thread_id in stuck)
            # Those that share it with each other are in nobody's way.
            return claim, next(
                each for each in standing if not (claim.is_shared and each.is_shared)
            )
    return None


def _told(cycle: list[Waiter], stuck: Collection[int]) -> Cycle:
    round_ = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
    chain = ", which ".join(_link(waiter, following, stuck) for waiter, following in round_)
    who = "threads wait for each other, and the youngest gives up"
    if len(cycle) == 1:
        who = "thread waits for itself, and gives up"
    # Who has lost a lock while it slept had it before the others: it is older than its claim.
    claims = [waiter.claims[0][0] for waiter in cycle if waiter.claims]
    youngest = max(claims, key=lambda claim: (not claim.is_again, claim.pk))
    message = f"The {who}: {_name(cycle[0])} {chain}. {_advice(cycle, stuck)}"
    return Cycle(youngest.suspension_id, youngest.is_again, message)


def _name(waiter: Waiter) -> str:
    return f"run {waiter.run_id} at {waiter.node!r}"


def _link(waiter: Waiter, following: Waiter, stuck: Collection[int]) -> str:
    """Return for what a stuck thread waits, and for whom."""
    edge = _edge(waiter, stuck)
    if edge is None:
        return f"waits for its {'branch' if waiter.group_id else 'child'} {_name(following)}"
    claim, other = edge
    if other.thread_id == claim.thread_id:
        return f'waits for "{claim.name}", which it holds itself since {other.node!r}'
    how = "held by" if other.state == LockState.HELD else "that was asked for before by"
    return f'waits for "{claim.name}" {how} {_name(following)}'


def _advice(cycle: list[Waiter], stuck: Collection[int]) -> str:
    edges = [edge for waiter in cycle if (edge := _edge(waiter, stuck)) is not None]
    name = edges[0][0].name
    if any(claim.name != name for claim, _ in edges):
        return "Take the locks in one order everywhere, or as one list of names."
    taken = next(other.node for _, other in edges if other.state == LockState.HELD)
    return (
        f"A lock is not re-entrant: what goes on in the body of {taken!r} must not ask for "
        f'"{name}" again. Take it once, around both.'
    )
