"""When the threads of a run slept, and when their window had no place: no time in a queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from workflows.models import NodeExecution, Run, Suspension, Thread, ThreadGroup
from workflows.states import SuspensionState, ThreadState

Step = tuple[int, int]  # thread, seq


@dataclass(frozen=True, slots=True)
class Sleep:
    """A stretch in which a thread could not move."""

    step: Step
    node: str
    kind: str  # of the suspension; `parts`: it waited for its branches
    begin: datetime
    end: datetime  # of the one that goes on: the present
    is_over: bool
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Sleeps:
    """Those that rows of the history tell of, the others, and since when parts waited for room."""

    of_steps: dict[Step, Sleep]
    alone: list[Sleep]
    windows: dict[int, datetime]  # by thread


def sleeps_of(run: Run, rows: Sequence[NodeExecution], most: int, now: datetime) -> Sleeps:
    """Return the newest sleeps of a run, against these rows of its history."""
    groups = list(run.groups.select_related("owner").defer("parts", "base", "owner__context"))
    found = {each.step: each for each in [*_waits(run, most, now), *_of_groups(groups, now)]}
    recorded = {(row.thread_id, row.seq) for row in rows}
    of_steps = {step: each for step, each in found.items() if each.is_over and step in recorded}
    alone = [each for each in found.values() if not each.is_over or each.is_cancelled]
    alone = [each for each in alone if each.step not in of_steps]
    alone.sort(key=lambda each: each.begin)
    return Sleeps(of_steps, alone, _windows(run, groups, rows))


def cancelled_waits(run: Run, most: int) -> list[Suspension]:
    """Return the waits of a run that nobody ended: they were cancelled, the oldest first."""
    closed = Suspension.objects.filter(run=run, state=SuspensionState.CLOSED)
    return list(closed.order_by("opened_at", "id")[:most])


def _waits(run: Run, most: int, now: datetime) -> list[Sleep]:
    found = Suspension.objects.filter(run=run).order_by("-opened_at")[:most]
    return [
        Sleep(
            step=(each.thread_id, each.seq),
            node=each.node,
            kind=each.kind,
            begin=each.opened_at,
            end=each.over_at or now,
            is_over=each.over_at is not None,
            is_cancelled=each.state == SuspensionState.CLOSED,
        )
        for each in reversed(found)
    ]


def _of_groups(groups: Sequence[ThreadGroup], now: datetime) -> list[Sleep]:
    return [
        Sleep(
            step=(each.owner_id, each.owner_seq),
            node=each.node,
            kind="parts",
            begin=each.opened_at,
            end=each.joined_at or (each.owner.moved_at if _is_past(each) else now),
            is_over=_is_past(each),
            is_cancelled=each.owner.state == ThreadState.CANCELLED and _stands_at(each),
        )
        for each in groups
    ]


def _is_past(group: ThreadGroup) -> bool:
    return not (group.owner.state == ThreadState.JOINING and _stands_at(group))


def _stands_at(group: ThreadGroup) -> bool:
    return group.owner.seq == group.owner_seq


def _windows(
    run: Run, groups: Sequence[ThreadGroup], rows: Sequence[NodeExecution]
) -> dict[int, datetime]:
    opened = {each.pk: each.opened_at for each in groups if each.parallel}
    first = [row.thread_id for row in rows if row.seq == 0]
    if not opened or not first:
        return {}
    threads = Thread.objects.filter(run=run, pk__in=first, group_id__in=opened)
    found = threads.values_list("pk", "group_id", "idx", "group__parallel")
    return {pk: opened[group] for pk, group, idx, parallel in found if idx >= parallel}
