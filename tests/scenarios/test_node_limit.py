"""`limits.node_executions`: how many nodes a run may execute, whatever thread executes them."""

from typing import Any

import pytest

from tests.support.activities import calls
from tests.support.assertions import assert_completed, assert_failed, visited
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
    workflow,
)
from tests.support.failing import refuse
from tests.support.orders import runs_in_every_order
from workflows.models import Thread, ThreadGroup
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def limited(most: int, *nodes: dict[str, Any]) -> dict[str, Any]:
    return workflow("lim", *nodes, limits={"node_executions": most})


def test_a_run_may_execute_as_many_and_no_more(engine: Harness) -> None:
    """Contract: `limits.node_executions` stops endless loops and recursion."""
    nodes = (edit("a", n=1), edit("b", n=2), end())
    engine.publish(limited(4, *nodes))
    assert_completed(engine.run("lim"))
    engine.publish(limited(3, *nodes))
    run = engine.run("lim")
    assert_failed(run, "too_many_nodes", "end")
    assert visited(run) == ["start", "a", "b"]


def test_what_is_refused_is_not_begun(engine: Harness) -> None:
    calls.clear()
    engine.publish(limited(2, edit("a", n=1), activity("b", "test.count"), end()))
    assert_failed(engine.run("lim"), "too_many_nodes", "b")
    assert not calls


def test_the_nodes_of_all_branches_count_together() -> None:
    """Contract: the message says which node ran most."""
    parts = [edit(name, n=1, next=f"{name}2") for name in "abc"]
    more = [edit(f"{name}2", n=2, next="j") for name in "abc"]
    nodes = (fan_out("f", a="a", b="b", c="c"), *parts, *more, fan_in("j"), end())
    # start, f, twice three, j, end
    for run in runs_in_every_order(limited(10, *nodes)):
        assert_completed(run)
    for run in runs_in_every_order(limited(9, *nodes)):
        assert_failed(run, "too_many_nodes", "end")
    for run in runs_in_every_order(limited(8, *nodes)):
        assert_failed(run, "too_many_nodes", "j")
        assert "The run has executed 8 nodes, and may not execute more than 8" in error(run)


def error(run: Any) -> str:
    return str(run.error["message"])


def test_a_map_that_is_too_wide_is_not_even_opened(engine: Harness) -> None:
    engine.publish(limited(50, each("m", "part", next="end"), edit("part", next=None), end()))
    run = engine.run("lim", {"items": list(range(50))})
    assert_failed(run, "too_many_nodes", "m")
    assert not ThreadGroup.objects.filter(run=run).exists()
    run = engine.run("lim", {"items": list(range(47))})
    assert_completed(run)


def test_parts_know_what_was_done_before_them(engine: Harness) -> None:
    steps = [edit(f"s{number}", n=number) for number in range(10)]
    part = [edit("p1", next="p2"), edit("p2", next="p3"), edit("p3", next=None)]
    engine.publish(limited(13, *steps, each("m", "p1", next="end"), *part, end()))
    run = engine.run("lim", {"items": [1]})
    assert_failed(run, "too_many_nodes", "p3")


def test_the_node_that_ran_most_is_named_across_threads(engine: Harness) -> None:
    engine.publish(
        limited(
            30,
            each("m", "often", next="end"),
            edit("often", n=1, next="rare"),
            switch("rare", "stop", rest="n < 0"),
            edit("stop", next=None),
            delay("rest", "PT1S", next="often"),
            end(),
        )
    )
    run = engine.run("lim", {"items": list(range(12))})
    assert_failed(run, "too_many_nodes", "m")
    assert any(f"most of them at {node!r}" in error(run) for node in ("often", "rare", "stop"))


def test_a_split_in_an_endless_cycle_is_stopped() -> None:
    definition = limited(
        40,
        fan_out("f", a="a", b="b"),
        edit("a", next="j"),
        edit("b", next="j"),
        fan_in("j", next="rest"),
        delay("rest", "PT1S", next="f"),
    )
    for run in runs_in_every_order(definition):
        assert_failed(run, "too_many_nodes")
        # start, and then five a round: f, a, b, j, rest
        assert len(visited(run)) == 40


def test_splits_that_nest_without_end_are_stopped(engine: Harness) -> None:
    """A branch that comes back to its own split opens it inside of itself."""
    engine.publish(
        limited(
            200,
            fan_out("f", a="again", b="b"),
            delay("again", "PT1S", next="f"),
            edit("b", next=None),
        )
    )
    run = engine.run("lim")
    assert_failed(run, "too_many_nodes")
    # Each level adds a branch that the others do not know of.
    assert len(visited(run)) <= 300


def test_splits_that_double_without_end_are_stopped(engine: Harness) -> None:
    engine.publish(
        limited(
            100,
            fan_out("f", a="again", b="again"),
            delay("again", "PT1S", next="f"),
        )
    )
    run = engine.run("lim")
    assert_failed(run, "too_many_nodes", "f")
    assert "the splits of the run make 102 threads" in error(run)
    assert Thread.objects.filter(run=run).count() == 101


def test_steps_of_groups_that_were_stopped_count_too() -> None:
    definition = limited(
        30,
        {"id": "loop", "type": "loop", "body": "r", "while": "true", "max_iterations": 99,
         "next": "end"},
        race("r", quick="quick", slow="s1", next="loop"),
        delay("quick", "PT1S", next=None),
        batch("s1", "s2", size=1, next=None),
        edit("s2", x=1, next="s3"),
        delay("s3", "PT1H", next=None),
        end(),
    )  # fmt: skip
    for run in runs_in_every_order(definition, {"items": [1, 2]}):
        assert_failed(run, "too_many_nodes")
        assert len(visited(run)) <= 30
        assert run.error["node"] in ("r", "s2", "quick", "s1", "loop", "s3")


def test_steps_of_groups_that_have_failed_count_too() -> None:
    definition = limited(
        30,
        {"id": "loop", "type": "loop", "body": "m", "while": "true", "max_iterations": 99,
         "next": "end"},
        each("m", "one", on_error="loop", next="loop"),
        edit("one", x=1, next="bad"),
        refuse("bad", next=None),
        end(),
    )  # fmt: skip
    for run in runs_in_every_order(definition, {"items": [1]}):
        assert_failed(run, "too_many_nodes")
        steps = run.history.filter(status="completed").count()
        assert steps <= 30


def test_the_limit_is_not_tolerated(engine: Harness) -> None:
    split = {**fan_out("f", a="a", b="b"), "tolerate": {"count": 2}, "on_error": "end"}
    engine.publish(
        limited(4, split, edit("a", next="a2"), edit("a2", next="a3"), edit("a3", next="j"),
                edit("b", next="j"), fan_in("j"), end())
    )  # fmt: skip
    assert_failed(engine.run("lim"), "too_many_nodes", "a3")
