"""The node history: what the engine reads of it, and attempts that nobody lived to settle."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db.models import Count, Max

from workflows.models import NodeExecution, Thread
from workflows.states import ThreadState
from workflows.store.rows import HistoryRow, LostClaim


def last_end(run_id: UUID) -> dict[str, Any] | None:
    """Return what the last end that was reached in a run says: output, result, reason."""
    rows = NodeExecution.objects.filter(run_id=run_id, is_end=True)
    return rows.order_by("-ended_at", "-id").values_list("output", flat=True).first()


def record_lost(rows: Sequence[tuple[LostClaim, HistoryRow]]) -> None:
    """Add the rows of attempts whose worker was lost; every other row comes with a settlement."""
    NodeExecution.objects.bulk_create(
        (
            NodeExecution(
                run_id=claim.run_id, thread_id=claim.thread_id, worker=claim.worker, **asdict(row)
            )
            for claim, row in rows
        ),
        ignore_conflicts=True,  # one attempt is lost once
    )


def counts_by_node(**where: Any) -> dict[str, int]:
    """Return how often each node was completed, by a thread (`thread_id`) or a run (`run_id`)."""
    steps = NodeExecution.objects.filter(**where, status="completed")
    rows = steps.values_list("node")
    return dict(rows.annotate(times=Count("id")).order_by())


def last_context(group_id: UUID) -> Any:
    """Return the context of the thread of a group that was over last."""
    rows = Thread.objects.filter(group_id=group_id, state=ThreadState.ENDED, context__isnull=False)
    return rows.order_by("-moved_at", "-id").values_list("context", flat=True).first()


def last_failed_attempt(thread_id: int, seq: int) -> int:
    """Return the number of the last attempt of a step that has failed; 0 when none has."""
    failed = NodeExecution.objects.filter(thread_id=thread_id, seq=seq, status="failed")
    return failed.aggregate(last=Max("attempt"))["last"] or 0
