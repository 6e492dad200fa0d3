"""Assertions in the words of the engine."""

from collections import Counter
from typing import Any

from workflows.context.values import equal
from workflows.models import NodeExecution, Run, Thread, ThreadGroup
from workflows.selectors import runs as selectors
from workflows.states import THREAD_LIVE


def assert_completed(run: Run, output: Any = ..., result: str = "ok") -> None:
    """The run ended well, with this output."""
    run = selectors.run_by_id(run.pk)
    assert run.status == "completed", (run.status, run.error)
    assert run.result == result
    if output is not ...:
        assert equal(run.output, output), (run.output, output)


def assert_failed(run: Run, code: str, node: str | None = None) -> None:
    """The run failed with this code, at this node, and nothing of it is left moving."""
    run = selectors.run_by_id(run.pk)
    assert run.status == "failed", (run.status, run.output)
    assert run.error["code"] == code, run.error
    assert node is None or run.error["node"] == node
    assert_at_rest(run)


def assert_waiting_for(run: Run, *nodes: str) -> None:
    """The run is asleep, and exactly these nodes wait."""
    run = selectors.run_by_id(run.pk)
    assert run.status == "suspended", (run.status, run.error)
    assert sorted(wait.node for wait in selectors.waits_of(run)) == sorted(nodes)


def assert_at_rest(run: Run) -> None:
    """Nothing of a final run can move, no wait is open, every group is over."""
    assert not Thread.objects.filter(run=run, state__in=("queued", "ready", "running")).exists()
    assert not Thread.objects.filter(run=run, state__in=("suspended", "joining")).exists()
    assert not ThreadGroup.objects.filter(run=run, state="open").exists()
    assert not selectors.waits_of(run).exists()


def assert_each_step_once(run: Run) -> None:
    """No step was recorded twice as completed, and every thread's steps are dense."""
    steps = NodeExecution.objects.filter(run=run, status="completed")
    counted = Counter(steps.values_list("thread_id", "seq"))
    assert set(counted.values()) <= {1}
    every = NodeExecution.objects.filter(run=run)
    for thread in set(every.values_list("thread_id", flat=True)):
        seqs = sorted(set(every.filter(thread_id=thread).values_list("seq", flat=True)))
        assert seqs == list(range(len(seqs))), (thread, seqs)


def visited(run: Run) -> list[str]:
    """Return the nodes that a run has completed, in order."""
    steps = NodeExecution.objects.filter(run=run, status="completed").order_by("id")
    return list(steps.values_list("node", flat=True))


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
