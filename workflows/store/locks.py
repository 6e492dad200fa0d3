"""Locks: queues of claims by name, first come first served.

What decides who may hold one happens under the lock on its name (`lock_names`), which is taken
before every other lock.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Min, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce

from workflows import clock
from workflows.models import LockClaim, Suspension
from workflows.states import LOCK_EDGES, THREAD_OVER, LockState, SuspensionState
from workflows.store import suspensions, transition
from workflows.store.rows import JSONObject

#: So many are let in by one transaction: it locks the runs of all of them.
MOST_LET_IN = 50


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who holds a lock: how many, how many of them share it, and the least limit among them."""

    holders: int = 0
    sharers: int = 0
    limit: int | None = None

    def admits(self, claim: LockClaim) -> bool:
        """Tell whether one more may hold the lock beside them."""
        if claim.is_shared:
            return self.sharers == self.holders
        limit = claim.limit if self.limit is None else min(self.limit, claim.limit)
        return not self.sharers and self.holders < limit

    def with_(self, claim: LockClaim) -> "Crowd":
        """Return the crowd with one more in it."""
        least = claim.limit if self.limit is None else min(self.limit, claim.limit)
        return Crowd(
            self.holders + 1,
            self.sharers + claim.is_shared,
            self.limit if claim.is_shared else least,
        )


def lock_names(names: Collection[str]) -> None:
    """Let nobody else decide about these locks before the end of the transaction.

    Always in one order, so that nobody waits for each other. SQLite's writers are one after the
    other anyway.
    """
    if connection.vendor != "postgresql":
        return
    digests = (sha256(name.encode()).digest() for name in names)
    keys = sorted({int.from_bytes(digest[:8], signed=True) for digest in digests})
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def ask(suspension: Suspension, locks: Iterable[JSONObject], *, is_again: bool) -> bool:
    """Put a thread into the queues of locked names; tell whether it holds all of them at once."""
    now = clock.now()
    has_all = True
    for lock in locks:
        for name in lock["names"]:
            claim = LockClaim(
                name=name,
                run_id=suspension.run_id,
                thread_id=suspension.thread_id,
                suspension=suspension,
                hold=lock["id"],
                node=lock["node"],
                seq=suspension.seq,
                is_shared=lock["shared"],
                limit=lock["limit"],
                is_again=is_again,
                asked_at=now,
            )
            # Nobody overtakes: who waits already is first, even one who could not be let in beside.
            if not waiting_at(name).exists() and crowd_at(name).admits(claim):
                claim.state = transition.follow(LOCK_EDGES, LockState.WAITING, "grant")
                claim.held_at = now
            else:
                has_all = False
            claim.save(force_insert=True)
    return has_all


def waiting_at(name: str) -> QuerySet[LockClaim]:
    """Return the claims that wait for a lock, in their order."""
    return LockClaim.objects.filter(name=name, state=LockState.WAITING).order_by("id")


def crowd_at(name: str) -> Crowd:
    """Return who holds a lock."""
    exclusive = Q(is_shared=False)
    found = LockClaim.objects.filter(name=name, state=LockState.HELD).aggregate(
        holders=Count("id"),
        exclusive=Count("id", filter=exclusive),
        limit=Min("limit", filter=exclusive),
    )
    return Crowd(found["holders"], found["holders"] - found["exclusive"], found["limit"])


def next_in(name: str) -> list[LockClaim]:
    """Return the first of those that wait for a locked name, as many as may hold it now."""
    crowd, chosen = crowd_at(name), list[LockClaim]()
    for claim in waiting_at(name)[:MOST_LET_IN]:
        if not crowd.admits(claim):
            break
        chosen.append(claim)
        crowd = crowd.with_(claim)
    return chosen


def grant(claims: Sequence[LockClaim]) -> tuple[int, list[Suspension]]:
    """Give locks to those who wait for them, whose runs are locked.

    Returns:
        To how many, and the waits that are over with it: they hold all that they have asked for.
    """
    # Asked under the locks of the runs: one that was stopped meanwhile gets nothing any more.
    live = suspensions.open_by_ids({claim.suspension_id for claim in claims})
    granted = [claim for claim in claims if claim.suspension_id in live]
    for _ in granted:
        transition.follow(LOCK_EDGES, LockState.WAITING, "grant")
    rows = LockClaim.objects.filter(pk__in=[claim.pk for claim in granted])
    rows.update(state=LockState.HELD, held_at=clock.now())
    unmet = LockClaim.objects.filter(suspension__in=live, state=LockState.WAITING)
    waiting = set(unmet.values_list("suspension_id", flat=True))
    return len(granted), [wait for pk, wait in live.items() if pk not in waiting]


def leave(**which: Any) -> list[str]:
    """Give up what is held by these claims although their thread has not moved; return the names.

    Who comes next is decided after the commit, under the locks on the names.
    """
    rows = LockClaim.objects.filter(state=LockState.HELD, **which)
    names = sorted(set(rows.values_list("name", flat=True)))
    if names:
        transition.follow(LOCK_EDGES, LockState.HELD, "leave")
        rows.update(state=LockState.LEFT)
    return names


def names_in(run_ids: Collection[UUID], within: Collection[UUID] | None = None) -> list[str]:
    """Return the names of all locks that runs, or threads of their groups `within`, claim."""
    rows = LockClaim.objects.filter(run_id__in=run_ids)
    if within is not None:
        rows = rows.filter(thread__group_id__in=within)
    return sorted(set(rows.values_list("name", flat=True)))


def missing(thread_id: int, holds: Collection[str]) -> set[str]:
    """Return which of these a thread does not hold."""
    rows = LockClaim.objects.filter(thread_id=thread_id, hold__in=holds, state=LockState.HELD)
    return set(holds) - set(rows.values_list("hold", flat=True))


def times_taken_again(thread_id: int, seq: int) -> int:
    """Return how often a thread has taken locks again at this step."""
    rows = Suspension.objects.filter(thread_id=thread_id, seq=seq, kind="relock")
    return rows.count()


def void_claims() -> QuerySet[LockClaim]:
    """Return the claims that do not count any more: other rows say so."""
    frames = Coalesce(Cast("thread__frames", TextField()), Value(""), output_field=TextField())
    over = ~Q(suspension__state=SuspensionState.OPEN)
    # It has moved on, and not into the body, or out of it again.
    moved = ~Q(thread__seq=F("seq")) & ~Q(inside__contains=F("hold"))
    return LockClaim.objects.annotate(inside=frames).filter(
        Q(state=LockState.LEFT)
        | Q(over, state=LockState.WAITING)
        | Q(over, Q(thread__state__in=THREAD_OVER) | moved, state=LockState.HELD)
    )


def drop_void(name: str) -> int:
    """Remove the claims to a locked name that do not count any more."""
    found = list(void_claims().filter(name=name).values_list("pk", flat=True))
    return LockClaim.objects.filter(pk__in=found).delete()[0] if found else 0


def void_names(limit: int) -> list[str]:
    """Return names to which there are claims that do not count any more."""
    names = void_claims().order_by().values_list("name", flat=True).distinct()
    return list(names[:limit])
