"""Steps that can be undone, and what was undone, for tests."""

from typing import Any

from tests.support.activities import ledger, undo_keys
from tests.support.builder import Node, activity
from workflows.models import NodeExecution, Run


def do(id_: str, what: str = "", **fields: Any) -> Node:
    """Do something that `test.undo` undoes."""
    given = {"what": what or id_}
    undo = fields.pop("undo", {"what": "${input.what}"})
    undone = {"activity": "test.undo", "input": undo}
    return activity(id_, "test.do", input=given, compensate=undone, **fields)


def compensate(id_: str = "undo", **fields: Any) -> Node:
    return {"id": id_, "type": "compensate", **fields}


def forget() -> None:
    """Begin with nothing done."""
    ledger.clear()
    undo_keys.clear()


def undone(run: Run) -> list[str]:
    """Return the nodes whose steps were undone, in order."""
    nodes = dict(NodeExecution.objects.filter(run=run).values_list("id", "node"))
    return [nodes[step] for _, step in compensated(run)]


def compensated(run: Run) -> list[tuple[int, int]]:
    """Return (row that undoes, row that it undoes), in order."""
    rows = NodeExecution.objects.filter(run=run, compensates__isnull=False).order_by("id")
    return [(row.pk, row.compensates) for row in rows if row.compensates is not None]


def assert_all_undone(run: Run) -> None:
    """Every finished step was undone once, in the engine and outside, the newest first."""
    steps = NodeExecution.objects.filter(run=run, compensation__isnull=False).order_by("-id")
    assert [step for _, step in compensated(run)] == [step.pk for step in steps]
    wanted = [f"undo {step.compensation['input']['what']}" for step in steps]
    assert [line for line in ledger if line.startswith("undo")] == wanted
    keys = [f"{run.pk}:{step.thread_id}:{step.seq}:compensate" for step in steps]
    assert undo_keys == keys


def assert_newest_first(run: Run) -> None:
    """Whenever one was chosen, all that was newer was undone; also when several threads undo."""
    steps = set(
        NodeExecution.objects.filter(run=run, compensation__isnull=False).values_list(
            "id", flat=True
        )
    )
    done: set[int] = set()
    before = 0
    for row, step in compensated(run):
        assert step not in done
        known = {each for each in steps - done if each < before}
        assert all(each <= step for each in known), (step, known)
        done.add(step)
        before = row
