"""One workflow with everything that splits, joins in part, races, fails and loops, nested."""

from typing import Any

from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import (
    activity,
    batch,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    race,
    switch,
    wait_event,
    workflow,
)
from tests.support.failing import refuse
from workflows.models import NodeExecution, Run, Thread, ThreadGroup

ITEMS = [[1, 2, 3], [4], [13], [5, 6]]
ROUNDS = 2
#: A map in a loop; in each item a batch in a window; in each slice a split that is joined in part,
#: with a race inside; one item fails, and is tolerated.
BIG = workflow(
    "big",
    {
        "id": "loop",
        "type": "loop",
        "body": "m",
        "while": f"loop.index < {ROUNDS}",
        "max_iterations": 9,
        "next": "end",
    },
    each("m", "slices", parallel=3, tolerate={"percent": 25}, next="loop"),
    batch("slices", "which", items="item", size=1, parallel=2, next=None),
    switch("which", "split", bad="item[0] == 13"),
    refuse("bad", next=None),
    {**fan_out("split", a="a", r="r", never="never", late="late"), "tolerate": {"count": 1}},
    activity("a", "test.double", input={"number": "${item[0]}"}, next="a2"),
    edit("a2", output="${[output]}", next="j"),
    race("r", quick="quick", slow="slow", next="r2"),
    activity("quick", "test.linger", input={"value": "${item[0]}"}, result="quick", next=None),
    wait_event("slow", "never", next=None),
    edit("r2", output="${[winner]}", next="j"),
    wait_event("never", "never", next="j"),
    delay("late", "PT1H", next="j"),
    fan_in("j", wait_for=2, rest="cancel", next="look"),
    fan_out("look", one="one", other="other"),
    edit("one", seen=1, next="k"),
    delay("other", "PT1H", next="k"),
    fan_in("k", merge="", wait_for="any", rest="absorb", next=None),
    end(output={"output": "${output}", "errors": "${errors}"}),
)


def _of(item: list[int]) -> Any:
    return None if 13 in item else [value for n in item for value in (n * 2, "quick")]


OUTPUT = {
    "output": [_of(item) for item in ITEMS],
    "errors": [{"index": 2, "code": "refused", "message": "never again", "node": "bad"}],
}


def assert_big(run: Run) -> None:
    """The run has ended as it must, with every group joined, failed or cancelled once."""
    assert_completed(run, OUTPUT)
    assert_at_rest(run)
    assert_each_step_once(run)
    slices = sum(len(item) for item in ITEMS if 13 not in item) * ROUNDS
    states: dict[str, list[str]] = {}
    for node, state in ThreadGroup.objects.filter(run=run).values_list("node", "state"):
        states.setdefault(node, []).append(state)
    assert states == {
        "m": ["joined"] * ROUNDS,
        "slices": states["slices"],
        **{node: ["joined"] * slices for node in ("split", "r", "look")},
    }
    assert sorted(states["slices"]) == ["failed"] * ROUNDS + ["joined"] * (len(ITEMS) - 1) * ROUNDS
    for node in ("j", "k", "r"):
        steps = NodeExecution.objects.filter(run=run, node=node, status="completed")
        assert steps.count() == slices, node
    racers = Thread.objects.filter(run=run, group__node="r")
    assert sorted(racers.values_list("state", flat=True)) == ["cancelled"] * slices + (
        ["ended"] * slices
    )
    arrived = Thread.objects.filter(run=run, group__node="split", state="arrived")
    assert arrived.count() == 2 * slices
