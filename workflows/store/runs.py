"""Runs: started once, final once."""

import json
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from workflows import clock, contents
from workflows.models import Run, Thread
from workflows.states import (
    RUN_EDGES,
    RUN_FINAL,
    RunStatus,
    SuspensionState,
    ThreadState,
    sources,
)
from workflows.store import statements, transition
from workflows.store.rows import RunInfo


def insert_run(run: Run, *, start: str, queue: str, lease_until: Any) -> int:
    """Add a run and its root thread, ready at the start node; return the thread's id."""
    if statements.has_fused_statements():
        values = {name: getattr(run, name) for name in _START_FIELDS}
        place = {"start": start, "queue": queue, "lease_until": lease_until}
        texts = {"input": contents.as_text(run.input), "pins": run.pins and json.dumps(run.pins)}
        return int(statements.run("start_run", {**values, **place, **texts})[0][0])
    run.save(force_insert=True)
    thread = Thread.objects.create(
        run=run,
        state=ThreadState.READY,
        node=start,
        context=run.input,
        queue=queue,
        wake_at=run.created_at,
        lease_until=lease_until,
        moved_at=run.created_at,
    )
    return thread.pk


def run_with_key(name: str, key: str) -> Run | None:
    """Return the run that was started with this idempotency key."""
    return Run.objects.filter(workflow_name=name, key=key).first()


_START_FIELDS = (
    "id", "version_id", "workflow_name", "key", "key_digest", "started_by_id", "created_at",
    "deadline_at", "depth", "parent_id", "asked_by_id", "root_id", "on_cancel",
)  # fmt: skip
_infos: OrderedDict[UUID, RunInfo] = OrderedDict()
_INFOS_KEPT = 2000


def remember(info: RunInfo) -> RunInfo:
    """Keep what never changes about a run for this process's next steps of it."""
    _infos[info.id] = info
    if len(_infos) > _INFOS_KEPT:
        _infos.popitem(last=False)
    return info


def forget_infos() -> None:
    """Forget what is kept about runs, for another database."""
    _infos.clear()


def load_info(run_id: UUID) -> RunInfo:
    """Return what never changes about a run."""
    known = _infos.get(run_id)
    if known is not None:
        return known
    row = Run.objects.values_list(
        "id", "version_id", "version__digest", "workflow_name", "version__number", "key", "depth",
        "created_at", "started_by_id", "parent_id",
    ).get(pk=run_id)  # fmt: skip
    return remember(RunInfo(*row))


def lock_run(run_id: UUID) -> Run | None:
    """Lock a run that is not final; None when it is. The first lock in the order of locks.

    Of a family of runs, a child is locked before its parent.
    """
    # NO KEY UPDATE: rows that refer to the run are inserted meanwhile without waiting.
    locked = Run.objects.select_for_update(no_key=True).filter(pk=run_id)
    # Read when somebody asks for them: they can be long, and every sleeper locks its run.
    rows = locked.exclude(status__in=RUN_FINAL).defer("input", "output").order_by()
    return next(iter(rows), None)


def lock_live(run_ids: Collection[UUID]) -> list[Run]:
    """Lock those of several runs that are not final, children before their parents."""
    locked = Run.objects.select_for_update(no_key=True).filter(pk__in=run_ids)
    rows = locked.exclude(status__in=RUN_FINAL).defer("input", "output")
    return list(rows.order_by("-depth", "pk"))


def lock_runs(run_ids: Collection[UUID]) -> None:
    """Lock several runs, always in the same order: children before their parents."""
    locked = Run.objects.select_for_update(no_key=True).filter(pk__in=run_ids)
    locked = locked.order_by("-depth", "pk")
    list(locked.values_list("pk", flat=True))


def mark_moving(run_id: UUID) -> None:
    """Note that the first thread of a run has moved."""
    if Run.objects.filter(pk=run_id, status=RunStatus.PENDING).update(status=RunStatus.RUNNING):
        transition.follow(RUN_EDGES, RunStatus.PENDING, "move")


def finish(run: Run, event: str, **fields: Any) -> None:
    """End a locked run along an edge of the table."""
    if run.status == RunStatus.PENDING and event != "cancel":
        run.status = transition.follow(RUN_EDGES, run.status, "move")
    run.status = transition.follow(RUN_EDGES, run.status, event)
    for name, value in fields.items():
        setattr(run, name, value)
    Run.objects.filter(pk=run.pk).update(
        status=run.status, ended_at=clock.now(), deadline_at=None, **fields
    )


def cancel_together(locked: Sequence[Run], reason: str) -> None:
    """End several locked runs as cancelled."""
    for run in locked:
        run.status = transition.follow(RUN_EDGES, run.status, "cancel")
    Run.objects.filter(pk__in=[run.pk for run in locked]).update(
        status=RunStatus.CANCELLED, reason=reason, ended_at=clock.now(), deadline_at=None
    )


def add_threads(run: Run, count: int) -> None:
    """Note on a locked run that a split has made threads."""
    Run.objects.filter(pk=run.pk).update(threads_made=F("threads_made") + count)


def wake(run: Run) -> None:
    """Note that a thread of a locked run can move again.

    Written even when nothing changes: the lock is what a concurrent `fall_asleep` waits for.
    """
    if run.status == RunStatus.SUSPENDED:
        run.status = transition.follow(RUN_EDGES, run.status, "wake")
    Run.objects.filter(pk=run.pk).update(status=run.status, deadline_at=run.deadline_at)


def wind_up(run: Run, reason: str) -> None:
    """Note on a locked run that it is cancelled as soon as its steps are undone, and why."""
    if run.status == RunStatus.SUSPENDED:
        run.status = transition.follow(RUN_EDGES, run.status, "wake")
    run.reason, run.undoes = reason, True
    Run.objects.filter(pk=run.pk).update(status=run.status, reason=reason, undoes=True)


def put_off(run: Run, deadline: datetime | None) -> None:
    """Give a locked run more time."""
    Run.objects.filter(pk=run.pk).update(deadline_at=deadline)


def can_move(run_id: UUID) -> bool:
    """Tell whether any thread of the run can move or is moving.

    Asked in one statement: between two, a thread could go from what the second looks for to what
    the first has looked for.
    """
    if statements.has_fused_statements():
        return bool(statements.run("can_move", {"run": run_id}))
    with connection.cursor() as cursor:
        cursor.execute(statements.statement("can_move"), {"run": run_id.hex})
        return cursor.fetchone() is not None


def fall_asleep(run: Run) -> bool:
    """Mark a locked run as suspended when nothing in it can move."""
    if run.status not in sources(RUN_EDGES, "sleep") or can_move(run.pk):
        return False
    status = transition.follow(RUN_EDGES, run.status, "sleep")
    Run.objects.filter(pk=run.pk).update(status=status)
    return True


#: Whose thread has gone on without them, or was stopped, or whose parent was cancelled.
_NOT_WAITED_FOR = (
    Q(parent__status=RunStatus.CANCELLED)
    | Q(asked_by__state=SuspensionState.CLOSED)
    | Q(asked_by__resolved_by="timer")
)


def _orphans() -> QuerySet[Run]:
    live = Run.objects.exclude(status__in=RUN_FINAL)
    return live.filter(_NOT_WAITED_FOR, on_cancel="cancel", undoes=False)


def below_undoing(run_ids: Collection[UUID]) -> set[UUID]:
    """Return those of several runs whose parent undoes what it has done."""
    rows = Run.objects.filter(pk__in=run_ids, parent__undoes=True)
    return set(rows.values_list("pk", flat=True))


def orphans_of(
    parents: Collection[UUID], limit: int, *, without: Collection[UUID] = ()
) -> list[UUID]:
    """Return children of these runs that are still to be cancelled."""
    rows = _orphans().filter(parent_id__in=parents).exclude(pk__in=without)
    return list(rows.values_list("pk", flat=True)[:limit])


def note_orphans(parents: Collection[UUID]) -> list[UUID]:
    """Note on locked runs that they have children to be cancelled; return those that have.

    Children are locked before their parent, never after it; so somebody else has to cancel them.
    """
    orphans = _orphans().filter(parent=OuterRef("pk"))
    found = Run.objects.filter(Exists(orphans), pk__in=parents).values_list("pk", flat=True)
    noted = list(found)
    if noted:
        Run.objects.filter(pk__in=noted).update(has_orphans=True)
    return noted


def forget_orphans(parents: Collection[UUID]) -> None:
    """Take the notes away where all of them are final."""
    # The lock first: what makes a child an orphan is written under it.
    lock_runs(parents)
    orphans = _orphans().filter(parent=OuterRef("pk"))
    Run.objects.filter(~Exists(orphans), pk__in=parents).update(has_orphans=False)


def with_orphans(limit: int) -> list[UUID]:
    """Return runs that have children to be cancelled."""
    rows = Run.objects.filter(has_orphans=True).order_by("created_at")
    return list(rows.values_list("pk", flat=True)[:limit])
