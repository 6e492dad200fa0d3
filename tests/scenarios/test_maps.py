"""Maps: one thread an item, the results in the order of the items."""

from typing import Any

import pytest

from tests.support.assertions import assert_completed, assert_failed, visited
from tests.support.builder import (
    activity,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    switch,
    workflow,
)
from tests.support.orders import assert_output_in_every_order
from workflows.models import Thread, ThreadGroup
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

ONLY_OUTPUT = {"output": "${output}"}


def map_of(process: dict[str, Any], *more: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return workflow(
        "map",
        each("m", process["id"], next="end", **fields),
        process,
        *more,
        end(output=ONLY_OUTPUT),
    )


def test_results_are_in_the_order_of_the_items() -> None:
    part = edit("part", output="${[index, item * 10]}", next=None)
    for parallel in (0, 2):
        assert_output_in_every_order(
            map_of(part, parallel=parallel),
            {"items": [5, 6, 7, 8, 9]},
            {"output": [[0, 50], [1, 60], [2, 70], [3, 80], [4, 90]]},
        )


def test_results_keep_their_order_when_the_first_item_is_the_last_to_finish(
    engine: Harness,
) -> None:
    """Contract: Results are a list in item order."""
    pause = delay("pause", "${10 - item}", next="part")
    engine.publish(map_of(pause, edit("part", output="${item}", next=None)))
    assert_completed(engine.run("map", {"items": [1, 9, 5]}), {"output": [1, 9, 5]})


def test_the_item_has_the_name_that_the_author_gives_it(engine: Harness) -> None:
    """Contract: One thread an item; `as` names the item's key (default `item`)."""
    part = edit("part", output="${row.price}", next=None)
    engine.publish(map_of(part, **{"as": "row"}))
    run = engine.run("map", {"items": [{"price": 1}, {"price": 2}], "item": "mine"})
    assert_completed(run, {"output": [1, 2]})


def test_only_the_results_are_kept_of_the_threads(engine: Harness) -> None:
    part = edit("part", output="${item}", other=1, next=None)
    engine.publish(workflow("map", each("m", "part", next="end"), part, end()))
    assert_completed(engine.run("map", {"items": [1, 2]}), {"items": [1, 2], "output": [1, 2]})


def test_a_part_that_sets_nothing_gives_null() -> None:
    definition = map_of(
        switch("part", "skip", give="item > 1"),
        edit("skip", other=1, next=None),
        edit("give", output="${item}", next=None),
    )
    assert_output_in_every_order(
        definition, {"items": [1, 2, 1, 3]}, {"output": [None, 2, None, 3]}
    )


def test_a_result_that_equals_what_stood_there_before_is_a_result(engine: Harness) -> None:
    """Activities and maps both write to `output` when nothing else is said."""
    engine.publish(
        map_of(
            switch("part", "skip", pause="item > 1"),
            edit("skip", other=1, next=None),
            delay("pause", "PT1S", next="double"),
            activity("double", "test.double", input={"number": "${item}"}, next="last"),
            delay("last", "PT1S", next=None),
        )
    )
    run = engine.run("map", {"items": [1, 2, 3], "output": 4})
    assert_completed(run, {"output": [None, 4, 6]})


def test_maps_nest() -> None:
    definition = workflow(
        "map",
        each("outer", "inner", items="rows", **{"as": "row"}, next="end"),
        each("inner", "cell", items="row", **{"as": "cell"}, next=None),
        edit("cell", output="${cell * 2}", next=None),
        end(output=ONLY_OUTPUT),
    )
    rows = [[1, 2], [], [3]]
    assert_output_in_every_order(definition, {"rows": rows}, {"output": [[2, 4], [], [6]]})


def test_a_fan_out_inside_a_map_is_joined_for_each_item() -> None:
    definition = workflow(
        "map",
        each("m", "split", next="end", parallel=2),
        fan_out("split", a="a", b="b"),
        edit("a", output="${item}", next="j"),
        edit("b", output="${-item}", next="j"),
        fan_in("j", next="both"),
        edit("both", output="${output}", next=None),
        end(output=ONLY_OUTPUT),
    )
    assert_output_in_every_order(
        definition, {"items": [1, 2, 3]}, {"output": [[1, -1], [2, -2], [3, -3]]}
    )


def test_an_empty_list_gives_an_empty_list(engine: Harness) -> None:
    engine.publish(map_of(edit("part", output=1, next=None)))
    run = engine.run("map", {"items": []})
    assert_completed(run, {"output": []})
    assert not ThreadGroup.objects.filter(run=run).exists()


def test_a_map_without_a_process_goes_straight_on(engine: Harness) -> None:
    engine.publish(workflow("map", each("m", None), end()))
    assert_completed(engine.run("map", {"items": [1]}), {"items": [1]})


@pytest.mark.parametrize("data", [{}, {"items": None}, {"items": 3}])
def test_what_is_no_list_fails_the_node(engine: Harness, data: dict[str, Any]) -> None:
    engine.publish(map_of(edit("part", output=1, next=None)))
    assert_failed(engine.run("map", data), "items_invalid", "m")


def test_items_may_end_at_an_end_of_their_own(engine: Harness) -> None:
    engine.publish(
        workflow(
            "map",
            each("m", "part", next="after"),
            edit("part", output="${item}"),
            end("stop"),
            edit("after", after=True),
            end(output=ONLY_OUTPUT),
        )
    )
    run = engine.run("map", {"items": [1, 2]})
    assert_completed(run, {"output": [1, 2]})
    assert visited(run).count("after") == 1


def test_a_failing_item_fails_the_run_and_cancels_the_queued_ones(engine: Harness) -> None:
    part = activity("part", "test.refuse", next=None)
    engine.publish(map_of(part, parallel=1))
    run = engine.run("map", {"items": [1, 2, 3]})
    assert_failed(run, "refused", "part")
    states = Thread.objects.filter(run=run, group__isnull=False).order_by("idx")
    assert [thread.state for thread in states] == ["failed", "cancelled", "cancelled"]


def test_a_thousand_items_are_one_map(engine: Harness) -> None:
    engine.publish(map_of(edit("part", output="${item + 1}", next=None)))
    run = engine.run("map", {"items": list(range(1000))})
    assert_completed(run, {"output": list(range(1, 1001))})


def test_items_keep_their_types(engine: Harness) -> None:
    items: list[Any] = [1, 1.5, True, None, "x", {"a": []}, [], -(2**63), 2**63 - 1]
    engine.publish(map_of(edit("part", output="${item}", next=None)))
    assert_completed(engine.run("map", {"items": items}), {"output": items})
