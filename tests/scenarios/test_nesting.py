"""Splits inside of splits."""

import pytest

from tests.support.assertions import (
    assert_completed,
    assert_waiting_for,
    seconds_of,
    visited,
)
from tests.support.builder import (
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
from tests.support.orders import assert_output_in_every_order, runs_in_every_order
from workflows.models import ThreadGroup
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_one_join_closes_several_nested_splits_at_once() -> None:
    """Contract: It closes the outermost split for which it is the common continuation."""
    definition = workflow(
        "split",
        fan_out("f", a="a", b="inner"),
        edit("a", next="j", output=["a"]),
        fan_out("inner", c="c", d="innermost"),
        edit("c", next="j", output=["c"]),
        fan_out("innermost", g="g", h="h"),
        edit("g", next="j", output=["g"]),
        edit("h", next="j", output=["h"]),
        fan_in("j"),
        end(),
    )
    for run in runs_in_every_order(definition):
        assert_completed(run, {"output": ["a", "c", "g", "h"]})
        assert visited(run).count("j") == 1
        assert visited(run).count("end") == 1
        assert set(ThreadGroup.objects.filter(run=run).values_list("state", flat=True)) == {
            "joined"
        }


def test_a_join_of_nested_splits_outlives_inner_branches_that_end_elsewhere() -> None:
    definition = workflow(
        "split",
        fan_out("f", a="a", b="inner"),
        edit("a", next="j", output="a"),
        fan_out("inner", c="c", d="d"),
        edit("c", next=None, output="c"),
        switch("d", "j", away="away"),
        end("away"),
        fan_in("j"),
        end(),
    )
    assert_output_in_every_order(definition, {"away": True}, {"away": True, "output": "a"})


def test_splits_nest_with_joins_of_their_own() -> None:
    """Contract: Groups nest without limit."""
    definition = workflow(
        "split",
        fan_out("f", a="f1", b="f2"),
        fan_out("f1", c="c", d="d"),
        edit("c", next="j1", inner=1),
        edit("d", next="j1", inner=2),
        fan_in("j1", merge="inner", next="a2"),
        edit("a2", next="j", output="${inner}"),
        fan_out("f2", e="e", g="g"),
        edit("e", next="j2", inner=3),
        edit("g", next="j2", inner=4),
        fan_in("j2", merge="inner", next="b2"),
        edit("b2", next="j", output="${inner}"),
        fan_in("j"),
        end(),
    )
    assert_output_in_every_order(definition, {}, {"output": [1, 2, 3, 4]})


def test_a_batch_in_a_branch_and_a_fan_out_in_a_slice() -> None:
    definition = workflow(
        "split",
        fan_out("f", a="slices", b="b"),
        batch("slices", "inner", size=2, parallel=1, merge="sums", next="a2"),
        fan_out("inner", c="c", d="d"),
        edit("c", next="j1", sums="${[sum(items)]}"),
        edit("d", next="j1", sums="${[batch.index]}"),
        fan_in("j1", merge="sums", next=None),
        edit("a2", next="j", output="${sums}"),
        edit("b", next="j", output="b"),
        fan_in("j"),
        end(),
    )
    assert_output_in_every_order(
        definition,
        {"items": [1, 2, 3, 4, 5]},
        {"items": [1, 2, 3, 4, 5], "output": [3, 0, 7, 1, 5, 2, "b"]},
    )


def test_sleepers_deep_inside_nested_splits_wake_alone(engine: Harness) -> None:
    """Contract: Answering wakes just that thread."""
    engine.publish(
        workflow(
            "split",
            fan_out("f", a="rows", b="pause"),
            each("rows", "inner", next="j"),
            fan_out("inner", c="ask", d="d"),
            wait_event("ask", "answer", key="item", result="got", next="told"),
            edit("told", next="j1", output="${got.data}"),
            delay("d", "PT1H", next="j1"),
            fan_in("j1", next=None),
            delay("pause", "PT2H", next="j"),
            fan_in("j"),
            end(),
        )
    )
    run = engine.start("split", {"items": ["x", "y"]})
    engine.drain()
    assert_waiting_for(run, "ask", "ask", "d", "d", "pause")
    engine.send("answer", key="y", data="Y")
    assert_waiting_for(run, "ask", "d", "d", "pause")
    engine.jump(hours=1)
    assert_waiting_for(run, "ask", "pause")
    engine.send("answer", key="x", data="X")
    assert_waiting_for(run, "pause")
    engine.jump(hours=1)
    assert_completed(run, {"items": ["x", "y"], "output": ["X", "Y"]})


def test_without_joins_the_last_thread_of_nested_splits_decides_the_output(
    engine: Harness,
) -> None:
    engine.publish(
        workflow(
            "split",
            fan_out("f", a="inner", b="b"),
            fan_out("inner", c="c", d="d"),
            delay("c", "PT3S", next="c2"),
            edit("c2", who="innermost", next=None),
            edit("d", who="d", next=None),
            edit("b", who="early", next=None),
        )
    )
    assert_completed(engine.run("split"), {"who": "innermost"})


def test_a_branch_that_comes_back_to_its_split_is_joined_with_it() -> None:
    """Contract: It fires once, when every live thread of the group has arrived or ended."""
    definition = workflow(
        "split",
        fan_out("f", a="a", b="b"),
        edit("a", output="${['a' + to_string(n)]}", next="j"),
        switch("b", "last", more="n < 2"),
        edit("more", n="${n + 1}"),
        delay("pause", "PT1S", next="f"),
        edit("last", output=["b"], next="j"),
        fan_in("j"),
        edit("after", seen="${seen + 1}"),
        end(output={"output": "${output}", "seen": "${seen}"}),
    )
    for run in runs_in_every_order(definition, {"n": 0, "seen": 0}):
        assert_completed(run, {"output": ["a0", "a1", "a2", "b"], "seen": 1})
        assert visited(run).count("j") == 1
        assert ThreadGroup.objects.filter(run=run, state="joined").count() == 3


def test_of_a_branch_that_comes_back_a_partial_join_waits_for_all_threads() -> None:
    definition = workflow(
        "split",
        fan_out("f", a="a", b="b"),
        delay("a", "PT5S", next="late"),
        edit("late", output=["late"], next="j"),
        switch("b", "quick", again="n < 1"),
        edit("again", n="${n + 1}"),
        delay("pause", "PT1S", next="f"),
        edit("quick", output=["quick"], next="j"),
        fan_in("j", wait_for="any"),
        end(output={"output": "${output}"}),
    )
    for run in runs_in_every_order(definition, {"n": 0}):
        assert_completed(run, {"output": ["late"]})
        assert seconds_of(run) == 5
        assert visited(run).count("j") == 1


def test_a_branch_has_not_arrived_when_all_its_threads_have_ended_elsewhere() -> None:
    definition = workflow(
        "split",
        fan_out("f", a="inner", b="slow"),
        fan_out("inner", c="c", d="d"),
        switch("c", "j", away="n < 1"),
        switch("d", "j", away="n < 1"),
        edit("away", output=["away"], next=None),
        delay("slow", "PT1S", next="b"),
        edit("b", output=["b"], next="j"),
        fan_in("j", wait_for="any"),
        end(output={"output": "${output}"}),
    )
    for run in runs_in_every_order(definition, {"n": 0}):
        assert_completed(run, {"output": ["b"]})
        assert seconds_of(run) == 1


@pytest.mark.parametrize("outer", ["join", "race"])
def test_what_an_arrived_branch_has_left_behind_is_no_rest_of_an_outer_join(outer: str) -> None:
    split = {
        "join": (
            fan_out("f", a="inner", b="never"),
            fan_in("j", wait_for="any", rest="cancel", next="rest"),
        ),
        "race": (race("f", a="inner", b="never", next="rest"), edit("j", next=None)),
    }
    definition = workflow(
        "split",
        split[outer][0],
        fan_out("inner", c="quick", d="slow"),
        edit("quick", next="i"),
        delay("slow", "PT2S", next="left"),
        end("left", output={"left": True}),
        fan_in("i", wait_for="any", rest="absorb", next="j"),
        wait_event("never", "never", next="j"),
        split[outer][1],
        delay("rest", "PT5S", next=None),
    )
    for run in runs_in_every_order(definition):
        assert_completed(run, {"left": True})
        assert seconds_of(run) == 5


BRANCHES = [
    fan_out("f", a="slow", b="b"),
    delay("slow", "PT2S", next="a"),
    edit("a", next=None, output="${[item, 'a']}"),
    edit("b", next=None, output="${[item, 'b']}"),
]


def test_branches_that_nothing_joins_leave_their_values_to_the_item() -> None:
    """In the order of the definition, whoever is over first."""
    definition = workflow("map", each("m", "f", next="end"), *BRANCHES, end())
    merged = [[1, "a", 1, "b"], [2, "a", 2, "b"]]
    given = {"items": [1, 2]}
    assert_output_in_every_order(definition, given, {**given, "output": merged})


def test_branches_that_nothing_joins_leave_their_values_to_the_slice() -> None:
    """All its threads count, and it is over when they are."""
    steps = [
        fan_out("f", a="slow", b="inner", c=None),
        delay("slow", "PT2S", next="a"),
        edit("a", next=None, output="${items}"),
        fan_out("inner", b="b", c="c"),
        edit("b", next=None, output="b"),
        edit("c", next=None, elsewhere=True),
    ]
    definition = workflow("batch", batch("s", "f", size=2, next="end"), *steps, end())
    given = {"items": [1, 2, 3]}
    merged = [1, 2, "b", 3, "b"]
    assert_output_in_every_order(definition, given, {**given, "output": merged})


def test_branches_that_nothing_joins_leave_their_values_to_the_winner_of_a_race() -> None:
    steps = [edit("a", next=None, output="a"), edit("b", next=None, output="b")]
    lost = wait_event("lost", "never", next=None)
    definition = workflow(
        "race", race("r", one="f", two="lost", next="end"), fan_out("f", a="a", b="b"), *steps,
        lost, end(output={"output": "${output}"}),
    )  # fmt: skip
    assert_output_in_every_order(definition, {}, {"output": ["a", "b"]})


def test_branches_that_nothing_joins_leave_nothing_to_a_round_of_a_loop() -> None:
    loop = {"id": "loop", "type": "loop", "body": "f", "while": "loop.index < 2", "next": None}
    body = [fan_out("f", a="a", b="b"), edit("a", next=None, output="a"), edit("b", next=None)]
    definition = workflow(
        "map", each("m", "loop", next="end"), {**loop, "max_iterations": 9}, *body, end()
    )
    given = {"items": [1]}
    assert_output_in_every_order(definition, given, {**given, "output": [None]})
