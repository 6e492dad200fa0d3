"""Who holds which locks, and who waits for them, told for people and programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from workflows import clock
from workflows.models import LockClaim, Suspension
from workflows.states import LockState
from workflows.store import locks

#: So many holders of one lock are named; of the others, how many there are.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A lock that a thread waits for: who holds it, and how many others come before."""

    name: str
    held_by: list[LockClaim]  # the oldest few
    holders: int
    before: int


def obstacles(suspension: Suspension) -> list[Obstacle]:
    """Return the locks that a wait still lacks; none for any other kind of wait."""
    if suspension.kind not in {"lock", "relock"}:
        return []
    waiting = LockClaim.objects.filter(suspension=suspension, state=LockState.WAITING)
    return [_obstacle(claim) for claim in waiting.order_by("name")]


def words_of(lacking: Sequence[Obstacle], *, is_again: bool) -> tuple[str, str]:
    """Return what a wait that lacks these locks waits for, and who is in the way."""
    names = ", ".join(f"{each.name!r}" for each in lacking) or "its locks"
    what = f"lock {names}" if len(lacking) == 1 else f"locks {names}"
    told = [_told(each) for each in lacking]
    if len(lacking) > 1:
        told = [f"{each.name!r}: {words}" for each, words in zip(lacking, told, strict=True)]
    again = " again" if is_again else ""
    return what + again, "; ".join(told) or "nobody: it goes on by itself"


def void_for(age: timedelta) -> int:
    """Return how many claims hold nothing any more and should have been removed by now."""
    return locks.void_claims().filter(asked_at__lt=clock.now() - age).count()


def _obstacle(claim: LockClaim) -> Obstacle:
    rows = LockClaim.objects.filter(name=claim.name).select_related("run").order_by("id")
    held = rows.filter(state=LockState.HELD).defer("run__input", "run__output")
    before = rows.filter(state=LockState.WAITING, id__lt=claim.pk).count()
    return Obstacle(claim.name, list(held[:_NAMED]), held.count(), before)


def _told(obstacle: Obstacle) -> str:
    named = ", ".join(
        f"run {claim.run_id} of workflow {claim.run.workflow_name!r}, "
        f"which holds it at {claim.node!r} since {claim.held_at:%Y-%m-%d %H:%M:%S} UTC"
        for claim in obstacle.held_by
    )
    more = obstacle.holders - len(obstacle.held_by)
    told = named or "nobody holds it"
    if more:
        told += f", and {more} more"
    if obstacle.before:
        told += f"; {obstacle.before} more wait{'s' * (obstacle.before == 1)} before it"
    return told
