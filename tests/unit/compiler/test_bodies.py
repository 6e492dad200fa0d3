"""Bodies of loops: their own, entered by the loop, left as one thread."""

from typing import Any

import pytest

from tests.support.compiling import compile_value
from workflows.errors import DefinitionError
from workflows.nodes.registry import kinds

LOOP = {"type": "loop", "until": "true", "max_iterations": 3}


def compiled(*nodes: dict[str, Any]) -> Any:
    start = {"id": "start", "type": "start", "next": nodes[0]["id"]}
    value = {"workflow": "w", "nodes": [start, *nodes, {"id": "done", "type": "end"}]}
    return compile_value(value, kinds=kinds()).plan


def edit(name: str, target: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"id": name, "type": "edit", "entries": []}
    return {**made, "next": target} if target else made


def codes(*nodes: dict[str, Any]) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        compiled(*nodes)
    return [problem.code for problem in caught.value.problems]


def test_the_body_is_what_only_the_body_port_leads_to() -> None:
    plan = compiled(
        {"id": "l", **LOOP, "body": "a", "next": "b"}, edit("a", "c"), edit("c"), edit("b", "done")
    )
    assert plan.nodes["l"].body == {"a", "c"}


def test_a_body_may_lead_back_by_an_edge_and_out_by_another() -> None:
    choice = {"id": "s", "type": "switch", "choices": [{"when": "a", "next": "b"}], "default": "l"}
    plan = compiled({"id": "l", **LOOP, "body": "s", "next": "b"}, choice, edit("b", "done"))
    assert plan.nodes["l"].body == {"s"}


def test_a_loop_in_a_loop() -> None:
    plan = compiled(
        {"id": "outer", **LOOP, "body": "inner", "next": "done"},
        {"id": "inner", **LOOP, "body": "a", "next": "b"},
        edit("a"),
        edit("b"),
    )
    assert plan.nodes["outer"].body == {"inner", "a", "b"}
    assert plan.nodes["inner"].body == {"a"}


def test_an_empty_body_is_refused() -> None:
    assert codes({"id": "l", **LOOP, "body": "b", "next": "b"}, edit("b", "done")) == ["body_empty"]


def test_jumping_into_a_body_is_refused() -> None:
    choice = {"id": "s", "type": "switch", "choices": [{"when": "a", "next": "a"}], "default": "l"}
    found = codes(choice, {"id": "l", **LOOP, "body": "a", "next": "done"}, edit("a"))
    assert found == ["body_entered"]


def test_branches_that_come_back_unjoined_are_refused() -> None:
    split = {
        "id": "split",
        "type": "fan_out",
        "branches": [{"name": "x", "next": "a"}, {"name": "y", "next": "b"}],
    }
    loop = {"id": "l", **LOOP, "body": "split", "next": "done"}
    assert codes(loop, split, edit("a", "l"), edit("b", "l")) == ["body_unjoined"]


def test_branches_that_are_joined_may_come_back() -> None:
    split = {
        "id": "split",
        "type": "fan_out",
        "branches": [{"name": "x", "next": "a"}, {"name": "y", "next": "b"}],
    }
    loop = {"id": "l", **LOOP, "body": "split", "next": "done"}
    join = {"id": "join", "type": "fan_in", "next": "l"}
    plan = compiled(loop, split, edit("a", "join"), edit("b", "join"), join)
    assert plan.nodes["l"].body == {"split", "a", "b", "join"}


POLL = {"id": "l", "type": "loop", "max_iterations": 3, "body": "try", "on_limit": "done"}
CACHED = {"id": "s", "type": "switch", "choices": [{"when": "a", "next": "good"}], "default": "l"}
READY = {"id": "try", "type": "switch", "choices": [{"when": "b", "next": "good"}], "default": "l"}


def test_a_way_out_of_a_body_may_be_reached_from_elsewhere_as_well() -> None:
    plan = compiled(CACHED, POLL, READY, edit("good", "rest"), edit("rest", "done"))
    assert plan.nodes["l"].body == {"try"}


def test_a_way_out_of_a_body_may_be_the_join_of_a_split_around_it() -> None:
    branches = [{"name": "x", "next": "l"}, {"name": "y", "next": "other"}]
    split = {"id": "split", "type": "fan_out", "branches": branches}
    join = {"id": "good", "type": "fan_in", "next": "last"}
    plan = compiled(split, POLL, READY, edit("other", "good"), join, edit("last"))
    assert plan.nodes["l"].body == {"try"}
    assert plan.nodes["split"].join == "good"


@pytest.mark.parametrize("target", ["l", None])
def test_what_leads_back_to_a_loop_is_entered_by_the_loop_only(target: str | None) -> None:
    found = codes(CACHED, POLL, READY, edit("good", "rest"), edit("rest", target))
    assert found == ["body_entered"]


def test_a_body_that_is_nothing_but_a_way_out_is_empty() -> None:
    loop = {**POLL, "body": "good"}
    assert codes(CACHED, loop, {"id": "good", "type": "end"}) == ["body_empty"]
