"""Locks that are refused at publish."""

from typing import Any

import pytest

from tests.support.compiling import compile_value
from workflows.errors import DefinitionError, Problem
from workflows.nodes.registry import kinds


def compiled(*nodes: dict[str, Any]) -> Any:
    start = {"id": "start", "type": "start", "next": nodes[0]["id"]}
    value = {"workflow": "w", "nodes": [start, *nodes, {"id": "done", "type": "end"}]}
    return compile_value(value, kinds=kinds()).plan


def problems(*nodes: dict[str, Any]) -> list[Problem]:
    with pytest.raises(DefinitionError) as caught:
        compiled(*nodes)
    return caught.value.problems


def codes(*nodes: dict[str, Any]) -> list[str]:
    return [problem.code for problem in problems(*nodes)]


def lock(id_: str = "l", body: str = "a", **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": "lock", "name": "x", "body": body, **fields}


def edit(name: str, target: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"id": name, "type": "edit", "entries": []}
    return {**made, "next": target} if target else made


def test_a_plan_knows_that_it_has_locks() -> None:
    assert compiled(lock(next="done"), edit("a")).has_locks
    assert not compiled(edit("a", "done")).has_locks


@pytest.mark.parametrize(
    "name", ["", "  ", [], ["a", ""], 7, None, ["a"] * 101, "x" * 201, ["a", "x" * 201]]
)
def test_a_name_that_is_none_is_refused(name: Any) -> None:
    found = problems(lock(next="done", name=name), edit("a"))
    assert [problem.pointer for problem in found] == ["/nodes/1/name"]
    assert "the name of a lock, or a list of 1 to 100 names" in found[0].message


def test_a_body_is_required() -> None:
    without = {key: value for key, value in lock(next="done").items() if key != "body"}
    (found,) = problems(without)
    assert (found.code, found.pointer) == ("missing_field", "/nodes/1")


@pytest.mark.parametrize("field", [{"limit": 0}, {"mode": "both"}, {"limit": 2, "mode": "shared"}])
def test_fields_that_cannot_work_are_refused(field: dict[str, Any]) -> None:
    assert len(problems(lock(next="done", **field), edit("a"))) == 1


def test_expressions_in_the_name_are_checked() -> None:
    assert codes(lock(next="done", name="order-${1 +}"), edit("a")) == ["expression_invalid"]


def test_a_body_that_is_what_follows_is_refused() -> None:
    assert codes(lock(body="a", next="a"), edit("a", "done")) == ["body_empty"]


def test_a_body_that_is_the_lock_itself_is_told_once() -> None:
    (found,) = problems(lock(body="l", next="done"))
    assert found.code == "body_empty"
    assert found.message == "the body of 'l' is 'l' itself: name the first node of the body"
    assert "unbounded_cycle" in codes(lock(body="a", next="l"), edit("a"))


def test_branches_come_back_joined() -> None:
    split = {"id": "s", "type": "fan_out", "branches": [{"name": "b", "next": "b"}]}
    assert codes(lock(body="s", next="done"), split, edit("b", "l")) == ["body_unjoined"]


def test_a_lock_inside_of_itself_is_refused() -> None:
    inner = lock("inner", "b", name=["y", "x"])
    found = problems(lock(body="inner", next="done"), inner, edit("b"))
    assert [(each.code, each.pointer) for each in found] == [("lock_taken_twice", "/nodes/2/name")]


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ({"mode": "shared"}, {"mode": "shared"}),
        ({"limit": 2}, {"limit": 3}),
        ({"name": "${n}"}, {"name": "${n}"}),
        ({}, {"name": "y"}),
    ],
)
def test_locks_that_may_be_held_together_are_not(
    outer: dict[str, Any], inner: dict[str, Any]
) -> None:
    compiled(lock(body="inner", next="done", **outer), lock("inner", "b", **inner), edit("b"))


def test_a_lock_that_is_released_asleep_has_no_split_inside() -> None:
    split = {"id": "s", "type": "fan_out", "branches": [{"name": "b", "next": "b"}]}
    rest = (split, edit("b", "j"), {"id": "j", "type": "fan_in"})
    compiled(lock(body="s", next="done"), *rest)
    found = codes(lock(body="s", next="done", release_while_suspended=True), *rest)
    assert found == ["lock_released_in_split"]
    short = {**edit("a"), "next": ["b", "c"]}
    body = (short, edit("b", "j"), edit("c", "j"), {"id": "j", "type": "fan_in"})
    found = codes(lock(next="done", release_while_suspended=True), *body)
    assert found == ["lock_released_in_split"]
