"""Assertions in the words of the engine: those of the tools for users, and a few of our own."""

from workflows.models import Run, Thread
from workflows.states import THREAD_LIVE
from workflows.testing import (
    assert_at_rest,
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_waiting_for,
    visited,
)

__all__ = [
    "assert_at_rest",
    "assert_completed",
    "assert_each_step_once",
    "assert_failed",
    "assert_waiting_for",
    "live_parts",
    "part_states",
    "seconds_of",
    "visited",
]


def part_states(run: Run, node: str | None = None) -> list[str]:
    """Return the states of the parts of a run's groups (of the split `node`), in their order."""
    rows = Thread.objects.filter(run=run, group__isnull=False)
    rows = rows.filter(group__node=node) if node else rows
    return list(rows.order_by("id").values_list("state", flat=True))


def live_parts(run: Run) -> int:
    """Return how many threads of a run's groups hold a place in a window."""
    return Thread.objects.filter(run=run, group__isnull=False, state__in=THREAD_LIVE).count()


def seconds_of(run: Run) -> float:
    """Return how long a final run has taken, by the engine's clock."""
    assert run.ended_at is not None
    return (run.ended_at - run.created_at).total_seconds()
