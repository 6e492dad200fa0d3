"""Assertions in the words of the engine; when one fails, it says what was found instead."""

from collections import Counter
from typing import Any

from workflows.context.values import equal
from workflows.models import NodeExecution, Run, Thread, ThreadGroup
from workflows.selectors import runs as selectors
from workflows.states import THREAD_OVER
from workflows.testing.telling import how_it_stands, way_of


def assert_completed(run: Run, output: Any = ..., result: str | None = "ok") -> None:
    """The run has completed with this result, and with this output if one is given.

    Args:
        run: the run, however old the object is.
        output: what it must equal; any output if left out.
        result: `ok`, `allowed` or `blocked`; None for any.
    """
    run = _fresh(run, "completed")
    if result is not None and run.result != result:
        because = f" because {run.reason!r}" if run.reason else ""
        _fail(run, f"has completed as {run.result!r}{because}, not as {result!r}")
    if output is not ... and not equal(run.output, output):
        _fail(run, f"has another output.\n  expected: {output!r}\n  found:    {run.output!r}")


def assert_failed(run: Run, code: str | None = None, node: str | None = None) -> None:
    """The run has failed, with this code and at this node, and nothing of it is left moving."""
    run = _fresh(run, "failed")
    if code is not None and run.error["code"] != code:
        _fail(run, f"has failed with another code than {code!r}: {how_it_stands(run)}")
    if node is not None and run.error.get("node") != node:
        _fail(run, f"has failed at another node than {node!r}: {how_it_stands(run)}")
    assert_at_rest(run)


def assert_cancelled(run: Run) -> None:
    """The run was cancelled, and nothing of it is left moving."""
    assert_at_rest(_fresh(run, "cancelled"))


def assert_waiting_for(run: Run, *nodes: str) -> None:
    """The run is asleep, and exactly these nodes wait: a node twice for two threads of it."""
    run = _fresh(run, "suspended")
    found = sorted(wait.node for wait in selectors.waits_of(run))
    if found != sorted(nodes):
        _fail(run, f"waits at {_named(found)}, not at {_named(nodes)}")


def assert_history(run: Run, *nodes: str, in_order: bool = True) -> None:
    """The run has completed steps at exactly these nodes, in this order.

    Args:
        run: the run.
        nodes: ids, one for each step that was completed; attempts that failed do not count.
        in_order: False where branches may overtake each other.
    """
    found = visited(run)
    same = found == list(nodes) if in_order else Counter(found) == Counter(nodes)
    if not same:
        message = f"has taken another way.\n  expected: {_way(nodes)}\n  found:    {_way(found)}"
        _fail(run, message)


def assert_attempts(run: Run, node: str, *statuses: str) -> None:
    """The attempts at a node ended like this: each is `completed`, `failed` or `lost`."""
    attempts = selectors.history_of(run).filter(node=node)
    found = tuple(attempts.values_list("status", flat=True))
    if found != statuses:
        said = ", ".join(found) or "there was none"
        _fail(run, f"has other attempts at {node!r} than {', '.join(statuses)}: {said}")


def assert_at_rest(run: Run) -> None:
    """Nothing of a final run can move, no wait is open, every group is over."""
    live = Thread.objects.filter(run=run).exclude(state__in=THREAD_OVER).first()
    if live is not None:
        _fail(run, f"has a thread that is {live.state} at {live.node!r}")
    wait = selectors.waits_of(run).first()
    if wait is not None:
        _fail(run, f"still waits at {wait.node!r}")
    group = ThreadGroup.objects.filter(run=run, state="open").first()
    if group is not None:
        _fail(run, f"has a group at {group.node!r} that is still open")


def assert_each_step_once(run: Run) -> None:
    """No step was recorded twice as completed, and no step of a thread is missing in between."""
    every = NodeExecution.objects.filter(run=run)
    steps = Counter(every.filter(status="completed").values_list("thread_id", "seq", "node"))
    twice = [step for step, times in steps.items() if times > 1]
    if twice:
        _fail(run, f"has completed a step twice: {twice}")
    for thread in set(every.values_list("thread_id", flat=True)):
        numbers = set(every.filter(thread_id=thread).values_list("seq", flat=True))
        missing = set(range(len(numbers))) - numbers
        if missing:
            _fail(run, f"has lost steps {sorted(missing)} of thread {thread}")


def visited(run: Run) -> list[str]:
    """Return the nodes at which a run has completed steps, in order."""
    steps = selectors.history_of(run).filter(status="completed")
    return list(steps.values_list("node", flat=True))


def _fresh(run: Run, status: str) -> Run:
    run = selectors.run_by_id(run.pk)
    if run.status != status:
        _fail(run, f"is not {status}: {how_it_stands(run)}")
    return run


def _fail(run: Run, what: str) -> None:
    raise AssertionError(f"Run {run.pk} of {run.workflow_name!r} {what}\n  way: {way_of(run)}")


def _way(nodes: tuple[str, ...] | list[str]) -> str:
    return " -> ".join(nodes) or "nothing"


def _named(nodes: tuple[str, ...] | list[str]) -> str:
    return ", ".join(sorted(nodes)) or "no node"
