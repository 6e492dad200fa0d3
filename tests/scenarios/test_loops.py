"""Loops end to end: bodies, limits, nesting, splits and waits inside of them."""

from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

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
    switch,
    wait_event,
    workflow,
)
from tests.support.orders import assert_output_in_every_order
from workflows import services
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def loop(id_: str, body: str, most: int = 10, **fields: Any) -> dict[str, Any]:
    while_ = {"while": fields.pop("while_")} if "while_" in fields else {}
    return {"id": id_, "type": "loop", "body": body, "max_iterations": most, **while_, **fields}


def counted(*nodes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return workflow("loops", loop("loop", "add", next="done", **fields), *nodes, end("done"))


ADD = edit("add", n="${default(n, 0) + 1}", next=None)


def test_the_body_changes_the_threads_own_context(engine: Harness) -> None:
    """Contract: Inside the body the context is the thread's own, so changes stay."""
    engine.publish(counted(ADD, while_="loop.index < 3"))
    run = engine.run("loops", {"n": 0})
    assert_completed(run, {"n": 3})
    assert visited(run) == ["start", *["loop", "add"] * 3, "loop", "done"]


def test_the_index_counts_from_0(engine: Harness) -> None:
    """Contract: `loop.index` counts from 0."""
    note = edit("add", seen="${default(seen, []) + [loop.index]}", next="loop")
    engine.publish(counted(note, until="loop.index == 3"))
    assert_completed(engine.run("loops"), {"seen": [0, 1, 2]})


def test_the_limit_comes_before_the_condition(engine: Harness) -> None:
    """Contract: The limit is checked before the condition."""
    late = edit("late", late=True)
    engine.publish(counted(ADD, late, while_="loop.index < 2", most=2, on_limit="late"))
    assert_completed(engine.run("loops"), {"n": 2, "late": True})


def test_the_limit_fails_a_loop_without_on_limit(engine: Harness) -> None:
    """Contract: Without `on_limit`, reaching it fails."""
    engine.publish(counted(ADD, until="false", most=4))
    run = engine.run("loops")
    assert_failed(run, "loop_limit")
    assert run.error["node"] == "loop"


def test_the_failure_at_the_limit_can_be_caught(engine: Harness) -> None:
    engine.publish(counted(ADD, until="false", most=4, on_error="done"))
    run = engine.run("loops")
    assert run.output["n"] == 4
    assert run.output["error"]["code"] == "loop_limit"
    assert "loop" not in run.output


def test_an_edge_out_of_the_body_leaves_the_loop(engine: Harness) -> None:
    enough = switch("enough", "loop", done="n > 2")
    engine.publish(counted({**ADD, "next": "enough"}, enough, until="false", most=100))
    assert_completed(engine.run("loops"), {"n": 3})


def test_an_end_in_the_body_ends_the_run(engine: Harness) -> None:
    stop = end("stop", output={"stopped": "${loop.index}"})
    engine.publish(counted(switch("add", "stop", loop="loop.index < 2"), stop, until="false"))
    assert_completed(engine.run("loops"), {"stopped": 2})


def test_a_loop_in_a_loop_has_an_index_of_its_own() -> None:
    inner = loop("inner", "note", while_="loop.index < 2", next="after")
    note = edit("note", next=None, seen="${default(seen, []) + [loop.index]}")
    after = edit("after", next=None, outer="${default(outer, []) + [loop.index]}")
    definition = workflow(
        "loops", loop("outer", "inner", while_="loop.index < 2", next="done"), inner, note, after,
        end("done"),
    )  # fmt: skip
    assert_output_in_every_order(definition, {}, {"seen": [0, 1, 0, 1], "outer": [0, 1]})


def test_a_split_is_passed_again_in_every_round() -> None:
    """Contract: loops that pass the same split again."""
    split = fan_out("split", a="a", b="b")
    parts = [edit("a", next="join", output="${[loop.index]}"), edit("b", next="join", output=["b"])]
    definition = workflow(
        "loops", loop("loop", "split", while_="loop.index < 3", next="done"), split, *parts,
        fan_in("join", next=None), end("done"),
    )  # fmt: skip
    assert_output_in_every_order(definition, {}, {"output": [2, "b"]})


def test_a_split_without_a_join_comes_back_to_the_loop_too() -> None:
    split = fan_out("split", a="a", b="b")
    parts = [edit("a", next=None, x=1), edit("b", next=None, x=2)]
    definition = workflow(
        "loops", loop("loop", "split", while_="loop.index < 2", next="done"), split, *parts,
        end("done", output={"ended": True}),
    )  # fmt: skip
    assert_output_in_every_order(definition, {"n": 1}, {"ended": True})


def test_a_loop_in_every_item_and_a_map_in_every_round() -> None:
    square = activity("square", "test.double", input={"number": "${item}"}, result="output")
    definition = workflow(
        "loops",
        loop("loop", "map", while_="loop.index < 2", next="done"),
        each("map", "grow", next="keep", merge="items"),
        loop("grow", "square", while_="loop.index < 2", next="give"),
        {**square, "next": "more"},
        edit("more", item="${output}", next="grow"),
        edit("give", items="${item}", next=None),
        edit("keep", next="loop"),
        end("done"),
    )
    assert_output_in_every_order(definition, {"items": [1, 2]}, {"items": [16, 32]})


def test_a_batch_in_a_loop_in_a_batch() -> None:
    definition = workflow(
        "loops",
        batch("outer", "loop", size=2, next="done"),
        loop("loop", "inner", while_="loop.index < 2", next=None),
        batch("inner", "note", size=1, next="loop"),
        edit("note", output="${items}", next=None),
        end("done", output={"output": "${output}"}),
    )
    data = {"items": [1, 2, 3]}
    assert_output_in_every_order(definition, data, {"output": [1, 2, 3]})


def test_a_wait_and_a_timer_in_the_body(engine: Harness) -> None:
    """Contract: A wait, an approval or a child run inside any of them."""
    wait = wait_event("wait", "go", next="pause")
    engine.publish(
        workflow(
            "loops",
            loop("loop", "wait", while_="loop.index < 2", next="done"),
            wait,
            delay("pause", "PT1H", next=None),
            end("done", output={"ended": True}),
        )
    )
    run = engine.run("loops")
    for _ in range(2):
        assert run.status == "suspended"
        services.send_event("go")
        engine.drain()
        engine.jump(hours=1)
        run.refresh_from_db()
    assert_completed(run, {"ended": True})


def test_a_loop_may_go_round_a_thousand_times(engine: Harness) -> None:
    engine.publish(counted(ADD, while_="loop.index < 1000", most=1000, on_limit="done"))
    assert_completed(engine.run("loops"), {"n": 1000})


def test_a_part_that_is_handed_back_unstarted_is_still_in_its_loop(engine: Harness) -> None:
    """A slow neighbour lets a slot hand back what it has claimed together with it."""
    seconds = "${loop.index == 0 ? 0.0 : 0.15}"
    step = activity("step", "test.linger", input={"value": "${loop.index}", "seconds": seconds})
    engine.publish(
        workflow(
            "loops",
            each("map", "loop", next="done"),
            loop("loop", "step", while_="loop.index < 2", next="give"),
            {**step, "result": "last", "next": "loop"},
            edit("give", output="${last}", next=None),
            end("done", output={"output": "${output}"}),
        )
    )
    hasty = {**settings.CELERIAC, "SLICE_SECONDS": 0.001, "BATCH_SECONDS": 0.05}
    with override_settings(CELERIAC=hasty):
        run = engine.run("loops", {"items": [1, 2, 3]})
    assert_completed(run, {"output": [1, 1, 1]})
    assert visited(run).count("step") == 6


@pytest.mark.parametrize(("is_cached", "output"), [(True, {"n": 0}), (False, {"n": 3})])
def test_a_loop_is_left_for_a_node_that_other_ways_lead_to_as_well(
    is_cached: bool,  # noqa: FBT001
    output: dict[str, Any],
) -> None:
    definition = workflow(
        "loops",
        switch("cached", "poll", good="is_cached"),
        loop("poll", "try", most=5, on_limit="done", next=None),
        edit("try", n="${n + 1}", next="ready"),
        switch("ready", "poll", good="n > 2"),
        edit("good", next="done", good=True),
        end("done"),
    )
    data = {"is_cached": is_cached}
    assert_output_in_every_order(definition, {"n": 0, **data}, {**output, **data, "good": True})
