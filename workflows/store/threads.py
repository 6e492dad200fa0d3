"""Claims and settlements of threads: the engine's hottest rows."""

import os
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F

from workflows import clock, conf, contents
from workflows.models import NodeExecution, Thread
from workflows.states import (
    RUN_EDGES,
    THREAD_EDGES,
    THREAD_LIVE,
    THREAD_OVER,
    RunStatus,
    ThreadState,
)
from workflows.store import records, runs, statements, transition
from workflows.store.leases import held, lease_end
from workflows.store.rows import Claim, HistoryRow, RunInfo, Settlement

_HOST = socket.gethostname()
#: How far apart the keys of threads may be that are claimed side by side.
_REACH = 200
_CLAIM_FIELDS = (
    "id", "run_id", "group_id", "idx", "node", "came_from", "seq", "attempt", "fence", "context",
    "resume", "queue", "priority", "wake_at", "frames", "joined_steps",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Next:
    """What to claim together with a settlement: up to `count` queued threads of `group_id`.

    `handover`: only as many as were settled as over, so that a window's places are passed on and
    the number of live threads cannot rise.
    """

    group_id: UUID
    count: int
    handover: bool = False


def worker_name() -> str:
    """Return what history says about who did a step."""
    return f"{_HOST}:{os.getpid()}"


def claim_thread(thread_id: int, seq: int) -> Claim | None:
    """Claim a ready thread, or None when it has moved on or is not due."""
    values = {"id": thread_id, "seq": seq, "now": clock.now(), "lease": lease_end()}
    values["worker"] = worker_name()
    if statements.has_fused_statements():
        claims = [_first_claim(row) for row in statements.run("claim_thread", values)]
    else:
        due = Thread.objects.filter(
            id=thread_id, seq=seq, state=ThreadState.READY, wake_at__lte=values["now"]
        )
        claims = _claim_rows([thread_id]) if due.update(**_claimed()) else []
        for claim in claims:
            if claim.seq == 0 and claim.group_id is None:
                runs.mark_moving(claim.run_id)
    if not claims:
        return None
    transition.follow(THREAD_EDGES, ThreadState.READY, "claim")
    return claims[0]


def claim_beside(claim: Claim, version_id: int, count: int) -> list[Claim]:
    """Claim up to `count` more lone threads that wait where a claimed one of theirs was.

    Only those that nobody has begun with: one that was attempted before is claimed alone.
    """
    if count <= 0 or not statements.has_fused_statements():
        return []
    values = {
        "id": claim.thread_id,
        "reach": _REACH,
        "queue": claim.queue,
        "node": claim.node,
        "priority": claim.priority,
        "version": version_id,
        "want": count,
        "now": clock.now(),
        "lease": lease_end(),
        "worker": worker_name(),
    }
    claims = [_first_claim(row) for row in statements.run("claim_beside", values)]
    if claims:
        transition.follow(THREAD_EDGES, ThreadState.READY, "claim")
    return claims


def settle(
    settlements: Sequence[Settlement], following: Next | None
) -> tuple[set[int], list[Claim]]:
    """Write settlements and their history, and claim what follows, in one commit.

    Returns:
        The ids of the threads that were settled (the others belong to somebody else by now), and
        the new claims.
    """
    for item in settlements:
        transition.follow(THREAD_EDGES, ThreadState.RUNNING, item.event)
    if statements.has_fused_statements():
        if following is None and (len(settlements) == 1 or _are_lone(settlements)):
            return _settle_each(settlements), []
        settled, claims = _settle_fused(settlements, following)
        return settled, _let_in(claims) if following and following.handover else claims
    settled = {item.claim.thread_id for item in settlements if _settle_one(item)}
    if following is None:
        return settled, []
    count = following.count
    if following.handover:
        over = [s for s in settlements if s.is_over and s.claim.thread_id in settled]
        count = min(count, len(over))
    claims = claim_queued(following.group_id, count)
    return settled, _let_in(claims) if following.handover else claims


def _let_in(claims: list[Claim]) -> list[Claim]:
    """Let the time in queue of threads begin now: until now their window had no place for them."""
    now = clock.now()
    return [replace(claim, queued_at=now) for claim in claims]


def claim_queued(group_id: UUID, count: int, *, window: int = 0) -> list[Claim]:
    """Claim up to `count` queued threads of a group, in their order.

    Those that did not fit into the `window` at first (0 is no limit) could not move until now.

    One that was attempted before may be what killed its worker: it is claimed alone, so that it
    takes nobody along.
    """
    if count <= 0:
        return []
    if statements.has_fused_statements():
        claims = _settle_fused((), Next(group_id, count))[1]
    else:
        queued = Thread.objects.filter(group_id=group_id, state=ThreadState.QUEUED)
        next_ones = queued.order_by("idx").values_list("id", "attempt")[:count]
        ids = _together(list(next_ones))
        claims = _claim_rows(ids) if Thread.objects.filter(id__in=ids).update(**_claimed()) else []
    if claims:
        transition.follow(THREAD_EDGES, ThreadState.QUEUED, "claim")
    if not window:
        return claims
    first = [claim for claim in claims if claim.idx < window]
    return first + _let_in([claim for claim in claims if claim.idx >= window])


def _together(queued: list[tuple[int, int]]) -> list[int]:
    """Return the ids of those of (id, attempt) that may be claimed at once."""
    if queued and queued[0][1]:
        return [queued[0][0]]
    return [id_ for id_, attempt in queued if not attempt]


def count_live(group_id: UUID) -> int:
    """Return how many places of a group's window are taken; ask under the group's lock."""
    return Thread.objects.filter(group_id=group_id, state__in=THREAD_LIVE).count()


def count_running(queue: str) -> int:
    """Return how many threads run on a queue now; ask under the queue's lock."""
    return Thread.objects.filter(queue=queue, state=ThreadState.RUNNING).count()


def is_group_over(group_id: UUID) -> bool:
    """Tell whether every thread of a group is over; ask after the own commit or under its lock."""
    return not Thread.objects.filter(group_id=group_id).exclude(state__in=THREAD_OVER).exists()


def move(thread_id: int, at_seq: int, state: ThreadState, event: str, **changes: Any) -> bool:
    """Move a thread that nobody has claimed from `state` along an edge; False if it is not there.

    The fence moves on too, so that everything claimed before is void.
    """
    after = transition.follow(THREAD_EDGES, state, event)
    rows = Thread.objects.filter(id=thread_id, seq=at_seq, state=state)
    fields = {"state": after, "fence": F("fence") + 1, "moved_at": clock.now(), **changes}
    return bool(rows.update(**fields))


def insert_at(run_id: UUID, node: str, *, queue: str, lease_until: datetime) -> int:
    """Add a thread of its own to a live run, ready at a node; return its id."""
    now = clock.now()
    place = {"node": node, "context": {}, "queue": queue, "wake_at": now, "moved_at": now}
    return Thread.objects.create(run_id=run_id, lease_until=lease_until, **place).pk


def has_live(run_id: UUID) -> bool:
    """Tell whether any thread of a run is not over."""
    return Thread.objects.filter(run_id=run_id).exclude(state__in=THREAD_OVER).exists()


def cancel_all(run_ids: Collection[UUID], within: Collection[UUID] | None = None) -> int:
    """Cancel every thread of runs, or of their groups `within`, that is not over."""
    live = Thread.objects.filter(run_id__in=run_ids).exclude(state__in=THREAD_OVER)
    if within is not None:
        live = live.filter(group_id__in=within)
    locked = live.order_by("id").select_for_update(no_key=True)
    return _cancel(list(locked.values_list("id", "state")))


def _cancel(rows: Sequence[tuple[int, str]]) -> int:
    for _, state in rows:
        transition.follow(THREAD_EDGES, state, "cancel")
    # Moving the fence on refuses the late results of work in flight.
    return Thread.objects.filter(id__in=[row[0] for row in rows]).update(
        state=ThreadState.CANCELLED,
        fence=F("fence") + 1,
        lease_until=None,
        moved_at=clock.now(),
    )


def release_all(group_id: UUID, window: int) -> list[Thread]:
    """Make the threads of a group independent of its queue.

    Those that were not let into the `window` yet (0 is no limit) do not begin any more.

    Returns:
        Those that were queued; each needs a message of its own now.
    """
    rows = Thread.objects.filter(group_id=group_id).exclude(state__in=THREAD_OVER)
    live = list(rows.order_by("id").select_for_update(no_key=True).only(*_RELEASED))
    queued = [thread for thread in live if thread.state == ThreadState.QUEUED]
    room = max(window - (len(live) - len(queued)), 0) if window else len(queued)
    released, outside = queued[:room], queued[room:]
    for thread in released:
        transition.follow(THREAD_EDGES, thread.state, "release")
    Thread.objects.filter(id__in=[thread.pk for thread in released]).update(
        state=ThreadState.READY,
        fence=F("fence") + 1,
        lease_until=clock.now() + timedelta(seconds=conf.settings().message_seconds),
    )
    _cancel([(thread.pk, thread.state) for thread in outside])
    return released


_RELEASED = ("id", "state", "seq", "queue", "priority")


def _claimed() -> dict[str, Any]:
    return {
        "state": ThreadState.RUNNING,
        "attempt": F("attempt") + 1,
        "fence": F("fence") + 1,
        "lease_until": lease_end(),
        "claimed_by": worker_name(),
        "claimed_at": clock.now(),
    }


def _claim_rows(ids: list[int]) -> list[Claim]:
    rows = Thread.objects.filter(id__in=ids)
    return [Claim(*row) for row in rows.order_by("idx", "id").values_list(*_CLAIM_FIELDS)]


def _first_claim(row: tuple[Any, ...]) -> Claim:
    claim = _claim(row)
    runs.remember(RunInfo(claim.run_id, *row[18:]))
    if row[17]:
        transition.follow(RUN_EDGES, RunStatus.PENDING, "move")
    return claim


def finish_alone(item: Settlement, output: Any, result: str, reason: str) -> bool:
    """End a root thread and its run in one statement, when nothing else of the run lives.

    False when that is not so, or the claim was lost, or the database cannot do it at once.
    """
    if not statements.has_fused_statements():
        return False
    values = {
        **records.row_of(item),
        "run": item.claim.run_id,
        "context": contents.as_text(item.context),
        "output": contents.as_text(output),
        "result": result,
        "reason": reason,
        "now": item.moved_at,
        "worker": worker_name(),
        "history": records.history_records(item.history, item.claim.thread_id),
    }
    rows = statements.run("finish_run", values)
    for (status,) in rows:
        transition.follow(RUN_EDGES, status, "complete")
        transition.follow(THREAD_EDGES, ThreadState.RUNNING, item.event)
    return bool(rows)


def _claim(row: tuple[Any, ...]) -> Claim:
    context, resume = contents.read(statements.parse(row[10])), statements.parse(row[11])
    frames = statements.parse(row[15])
    fields: tuple[Any, ...] = (*row[1:10], context, resume, *row[12:15], frames, row[16])
    return Claim(*fields)


def _are_lone(settlements: Sequence[Settlement]) -> bool:
    return all(item.claim.group_id is None for item in settlements)


def _settle_each(settlements: Sequence[Settlement]) -> set[int]:
    """Settle each by a commit of its own: lone threads are of runs that share nothing."""
    values = [
        {
            **records.row_of(item),
            "context": None if item.is_unstarted else contents.as_text(item.context),
            "contribution": records.as_json(item.contribution),
            "frames": records.as_json(item.frames),
            "history": records.history_records(item.history, item.claim.thread_id),
            "worker": worker_name(),
        }
        for item in settlements
    ]
    return {row[0] for rows in statements.run_each("settle_one", values) for row in rows}


def _settle_fused(
    settlements: Sequence[Settlement], following: Next | None
) -> tuple[set[int], list[Claim]]:
    # In the order in which a cancel locks them.
    settlements = sorted(settlements, key=lambda item: item.claim.thread_id)
    values = {
        "rows": f"[{', '.join(map(records.encode_settlement, settlements))}]",
        "history": records.encode_all(
            [
                records.history_fields(item.claim.thread_id, row)
                for item in settlements
                for row in item.history
            ]
        ),
        "worker": worker_name(),
        "now": clock.now(),
        "lease": lease_end(),
        "group": following.group_id if following else None,
        "want": following.count if following else 0,
        "handover": bool(following and following.handover),
    }
    rows = statements.run("settle", values)
    claims = sorted((_claim(row) for row in rows if row[0]), key=lambda claim: claim.idx)
    return {row[1] for row in rows if not row[0]}, claims


_KEPT_UNSTARTED = ("context", "frames", "resume")


def _settle_one(item: Settlement) -> bool:
    claim = item.claim
    rows = held(claim).filter(seq=claim.seq)
    changes = {**records.columns_of(item), "resume": None}
    if item.is_unstarted:
        changes = {name: changes[name] for name in changes if name not in _KEPT_UNSTARTED}
    if not rows.update(seq=item.seq, fence=F("fence") + 1, **changes):
        return False
    record(claim.run_id, claim.thread_id, item.history)
    return True


def by_id(thread_id: int) -> Thread:
    """Return a thread."""
    return Thread.objects.get(pk=thread_id)


def record(run_id: UUID, thread_id: int, rows: Sequence[HistoryRow]) -> None:
    """Add history rows of a thread."""
    NodeExecution.objects.bulk_create(
        NodeExecution(run_id=run_id, worker=worker_name(), **records.history_fields(thread_id, row))
        for row in rows
    )
