"""Fan-outs and their joins."""

from typing import Any

import pytest

from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_failed,
    visited,
)
from tests.support.builder import (
    activity,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    switch,
    wait_event,
    workflow,
)
from tests.support.orders import assert_output_in_every_order, runs_in_every_order
from workflows.models import NodeExecution, Thread, ThreadGroup
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


# --- which branches there are ---------------------------------------------------------------


def test_unconnected_branches_are_ignored(engine: Harness) -> None:
    """Contract: Unconnected branches are ignored."""
    engine.publish(
        workflow(
            "split", fan_out("f", a="a", b=None), edit("a", next="j", output=1), fan_in("j"), end()
        )
    )
    run = engine.run("split")
    assert_completed(run, {"output": 1})
    assert ThreadGroup.objects.get(run=run).expected == 1


def test_with_no_branch_connected_the_thread_goes_on_unchanged(engine: Harness) -> None:
    """Contract: None connected: the thread goes on at `next`, or ends there."""
    split = {**fan_out("f", a=None, b=None), "next": "on"}
    engine.publish(workflow("split", split, edit("on", x=1), end()))
    run = engine.run("split", {"n": 1})
    assert_completed(run, {"n": 1, "x": 1})
    assert not ThreadGroup.objects.filter(run=run).exists()


def test_with_no_branch_and_no_next_the_thread_ends_there(engine: Harness) -> None:
    """Contract: None connected: the thread goes on at `next`, or ends there."""
    engine.publish(workflow("split", fan_out("f", a=None)))
    assert_completed(engine.run("split", {"n": 1}), {"n": 1})


def test_a_list_of_next_nodes_is_a_fan_out_written_short() -> None:
    """Contract: A list of next nodes is a fan-out written short."""
    definition = workflow(
        "split",
        edit("first", next=["a", "b"], x=1),
        edit("a", next="j", output="${x + 1}"),
        edit("b", next="j", output="${x + 2}"),
        fan_in("j"),
        end(),
    )
    assert_output_in_every_order(definition, {}, {"x": 1, "output": [2, 3]})


# --- what a branch sees and leaves ----------------------------------------------------------


def test_branches_do_not_see_each_other_s_changes() -> None:
    """Contract: One thread a connected branch, each with its own deep copy of the context."""
    definition = workflow(
        "split",
        fan_out("f", a="a", b="b"),
        edit("a", deep__list="changed", next="a2"),
        edit("a2", next="j", output="${[deep.kept, has(deep.other)]}"),
        edit("b", next="b2", deep__other=1),
        edit("b2", next="j", output="${[deep.list[0], deep.other]}"),
        fan_in("j"),
        end(),
    )
    before = {"deep": {"list": [7], "kept": "yes"}}
    after = {**before, "output": ["yes", False, 7, 1]}
    assert_output_in_every_order(definition, before, after)


def test_only_the_merge_path_survives_a_join() -> None:
    """Contract: Every other change of a branch is dropped."""
    definition = workflow(
        "split",
        fan_out("f", a="a", b="b"),
        edit("a", next="j", kept=1, dropped=2),
        {**edit("b", next="j", kept=3), "entries": [{"set": "kept", "value": 3}, {"delete": "n"}]},
        fan_in("j", merge="kept"),
        end(),
    )
    assert_output_in_every_order(definition, {"n": 5}, {"n": 5, "kept": [1, 3]})


def test_an_empty_merge_path_keeps_nothing_of_the_branches() -> None:
    """Contract: `merge` names a path, `output` if left out, empty for none."""
    definition = workflow(
        "split",
        fan_out("f", a="a", b="b"),
        edit("a", next="j", output=1),
        edit("b", next="j", output=2),
        fan_in("j", merge=""),
        end(),
    )
    assert_output_in_every_order(definition, {"n": 5}, {"n": 5})


NOTHING = object()


@pytest.mark.parametrize(
    ("before", "values", "merged"),
    [
        (NOTHING, [1], 1),
        (NOTHING, [[1], [2, 3]], [1, 2, 3]),
        (NOTHING, [[1], 2], [1, 2]),
        (NOTHING, [1, [2, 3]], [1, 2, 3]),
        (NOTHING, [1, 2], [1, 2]),
        (NOTHING, [1, NOTHING], 1),
        (NOTHING, [{"a": 1, "b": 1}, {"a": 2, "c": 3}], {"a": [1, 2], "b": 1, "c": 3}),
        (NOTHING, [{"a": 1}, 2], [{"a": 1}, 2]),
        (NOTHING, [1, {"a": 2}], [1, {"a": 2}]),
        (NOTHING, [None, 1], [None, 1]),
        (5, [NOTHING, NOTHING], 5),
        (5, [6, NOTHING], 6),
        (5, [6, 7], [6, 7]),
        ([1], [[1, 2], [1, 3]], [1, 2, 3]),
        ({"a": 1}, [{"a": 1, "b": 2}, {"a": 1, "c": 3}], {"a": 1, "b": 2, "c": 3}),
        ({"a": 1}, [{"a": True}, NOTHING], {"a": True}),
    ],
)
def test_branches_are_merged_by_the_table_whoever_is_first(
    engine: Harness, before: Any, values: list[Any], merged: Any
) -> None:
    """Contract: Branches are merged by the table, in the order of the definition."""
    data = {} if before is NOTHING else {"output": before}
    for waits in (("PT1S", "PT2S"), ("PT2S", "PT1S")):
        parts = [
            node
            for idx, value in enumerate(values)
            for node in (
                delay(f"w{idx}", waits[idx % 2], next=f"b{idx}"),
                edit(
                    f"b{idx}", next="j", **({"other": 1} if value is NOTHING else {"output": value})
                ),
            )
        ]
        names = {f"n{idx}": f"w{idx}" for idx in range(len(values))}
        engine.publish(workflow("split", fan_out("f", **names), *parts, fan_in("j"), end()))
        assert_completed(engine.run("split", data), {"output": merged})


# --- branches that do not arrive ------------------------------------------------------------


def test_a_branch_that_ends_elsewhere_counts_as_over() -> None:
    """Contract: A branch that ends elsewhere counts as over, not as missing."""
    definition = workflow(
        "split",
        fan_out("f", a="a", b="b", c="c"),
        edit("a", next="j", output=1),
        edit("b", next="gone", output=2),
        end("gone"),
        edit("c", next=None, output=3),
        fan_in("j"),
        end(),
    )
    assert_output_in_every_order(definition, {}, {"output": 1})


def test_a_join_fires_when_every_branch_has_ended_elsewhere() -> None:
    """Contract: It fires once, when every live thread of the group has arrived or ended."""
    definition = workflow(
        "split",
        fan_out("f", a="a", b="b"),
        _turn("a", "away"),
        _turn("b", "away"),
        end("away", output={"from": "a branch"}),
        fan_in("j"),
        edit("after", after=True),
        end(),
    )
    assert_output_in_every_order(definition, {"away": True}, {"away": True, "after": True})
    assert_output_in_every_order(definition, {"away": False}, {"away": False, "after": True})


def test_a_switch_in_a_branch_may_turn_away_from_the_join() -> None:
    """Contract: A branch that can no longer reach the join is over as soon as it ends."""
    definition = workflow(
        "split",
        fan_out("f", a="a", b="b"),
        _turn("a", "aside"),
        edit("aside", next=None, output="lost"),
        edit("b", next="j", output="b"),
        fan_in("j"),
        end(),
    )
    assert_output_in_every_order(definition, {"away": True}, {"away": True, "output": "b"})
    for run in runs_in_every_order(definition, {"away": True}):
        states = Thread.objects.filter(run=run, group__isnull=False).order_by("idx")
        assert list(states.values_list("state", flat=True)) == ["ended", "arrived"]


def _turn(id_: str, aside: str) -> dict[str, Any]:
    return switch(id_, "j", **{aside: "away"})


def test_without_a_join_the_last_end_decides_the_output(engine: Harness) -> None:
    """Contract: Without a join the last `end` decides the output."""
    engine.publish(
        workflow(
            "split",
            fan_out("f", a="a", b="b"),
            delay("a", "PT2S", next="late"),
            end("late", output={"who": "late"}, result="blocked", reason="it was"),
            delay("b", "PT1S", next="early"),
            end("early", output={"who": "early"}),
        )
    )
    run = engine.run("split")
    assert_completed(run, {"who": "late"}, result="blocked")
    assert engine.result(run).reason == "it was"


def test_without_join_and_end_the_last_thread_decides_the_output(engine: Harness) -> None:
    engine.publish(
        workflow(
            "split",
            fan_out("f", a="a", b="b"),
            delay("a", "PT2S", next="a2"),
            edit("a2", who="late", next=None),
            edit("b", who="early", next=None),
        )
    )
    assert_completed(engine.run("split"), {"who": "late"})


def test_an_end_that_terminates_stops_the_other_branches(engine: Harness) -> None:
    engine.publish(
        workflow(
            "split",
            fan_out("f", a="a", b="b"),
            wait_event("a", "never", next="j"),
            delay("b", "PT1S", next="stop"),
            end("stop", terminate=True, output={"stopped": True}),
            fan_in("j"),
            end(),
        )
    )
    run = engine.run("split")
    assert_completed(run, {"stopped": True})
    assert_at_rest(run)
    assert "end" not in visited(run)


# --- failures and cycles --------------------------------------------------------------------


def test_a_failing_branch_fails_the_run_and_stops_the_others(engine: Harness) -> None:
    engine.publish(
        workflow(
            "split",
            fan_out("f", a="a", b="b", c="c"),
            wait_event("a", "never", next="j"),
            delay("b", "PT1S", next="bad"),
            activity("bad", "test.refuse", next="j"),
            each("c", "deep", next="j"),
            delay("deep", "P1D", next=None),
            fan_in("j"),
            end(),
        )
    )
    run = engine.run("split", {"items": [1, 2, 3]})
    assert_failed(run, "refused", "bad")
    states = Thread.objects.filter(run=run).order_by("id").values_list("state", flat=True)
    assert sorted(states) == ["cancelled"] * 6 + ["failed"]
    assert engine.send("never").woke == ()


def test_on_error_inside_a_branch_saves_the_join() -> None:
    definition = workflow(
        "split",
        fan_out("f", a="a", b="b"),
        activity("a", "test.refuse", on_error="mend", next="j"),
        edit("mend", next="j", output="${error.code}"),
        edit("b", next="j", output="b"),
        fan_in("j"),
        end(),
    )
    assert_output_in_every_order(definition, {}, {"output": ["refused", "b"]})


def test_the_same_split_is_passed_again_in_a_cycle_through_a_delay() -> None:
    definition = workflow(
        "split",
        edit("count", n="${n + 1}"),
        fan_out("f", a="a", b="b"),
        edit("a", next="j", output="${'a' + to_string(n)}"),
        edit("b", next="j", output="${'b' + to_string(n)}"),
        fan_in("j", next="more"),
        switch("more", "end", pause="n < 3"),
        delay("pause", "PT1M", next="count"),
        end(),
    )
    for run in runs_in_every_order(definition, {"n": 0}):
        assert_completed(run, {"n": 3, "output": ["a3", "b3"]})
        assert ThreadGroup.objects.filter(run=run, state="joined").count() == 3


def test_a_merge_path_that_cannot_be_set_fails_the_run(engine: Harness) -> None:
    engine.publish(
        workflow(
            "split",
            fan_out("f", a="a", b="b"),
            edit("a", deep={}, next="a2"),
            edit("a2", next="j", deep__x=1),
            edit("b", next="j"),
            fan_in("j", merge="deep.x"),
            end(),
        )
    )
    assert_failed(engine.run("split", {"deep": 5}), "path_invalid", "j")


def test_a_join_can_send_its_failure_to_on_error(engine: Harness) -> None:
    engine.publish(
        workflow(
            "split",
            each("rows", "part", merge="deep.x", on_error="mend", next="end"),
            edit("part", next=None, deep={"x": 1}),
            edit("mend", seen="${error.code}", next="end"),
            end(output={"seen": "${seen}"}),
        )
    )
    assert_completed(engine.run("split", {"deep": 5, "items": [1]}), {"seen": "path_invalid"})


def test_the_history_of_a_join_tells_what_was_merged(engine: Harness) -> None:
    engine.publish(
        workflow(
            "split",
            fan_out("f", a="a", b="b"),
            edit("a", next="j", output=1),
            edit("b", next="j", output=2),
            fan_in("j"),
            end(),
        )
    )
    run = engine.run("split")
    step = NodeExecution.objects.get(run=run, node="j")
    assert (step.output, step.came_from, step.status) == ({"output": [1, 2]}, "f", "completed")
