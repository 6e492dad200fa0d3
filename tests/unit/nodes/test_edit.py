from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import node
from workflows.errors import ExpressionError, PathError
from workflows.nodes.outcomes import Continue, Fail


def edited(*entries: dict[str, Any], **context: Any) -> dict[str, Any]:
    outcome = node("edit", entries=list(entries)).run(**context)
    assert isinstance(outcome, Continue)
    assert outcome.port == "next"
    return outcome.context


def test_set_takes_json_with_expressions_in_it() -> None:
    value = {"sum": "${a + 1}", "text": "a is ${a}", "plain": [None, True]}
    assert edited({"set": "b.c", "value": value}, a=1) == {
        "a": 1,
        "b": {"c": {"sum": 2, "text": "a is 1", "plain": [None, True]}},
    }


def test_set_can_set_null() -> None:
    assert edited({"set": "a", "value": None}, a=1) == {"a": None}


def test_delete_of_what_is_there_and_of_what_is_not() -> None:
    assert edited({"delete": "a.b"}, {"delete": "a.x.y"}, a={"b": 1, "c": 2}) == {"a": {"c": 2}}


def test_move_and_copy() -> None:
    assert edited({"move": "a", "to": "b.c"}, a=[1]) == {"b": {"c": [1]}}
    assert edited({"copy": "a", "to": "b"}, a=None) == {"a": None, "b": None}


def test_a_value_can_be_moved_below_its_own_place() -> None:
    assert edited({"move": "a", "to": "a.old"}, a=1) == {"a": {"old": 1}}
    assert edited({"copy": "a", "to": "a.old"}, a={"x": 1}) == {"a": {"x": 1, "old": {"x": 1}}}


def test_each_entry_sees_what_the_ones_before_it_did() -> None:
    entries: list[dict[str, Any]] = [
        {"set": "a", "value": 1},
        {"set": "b", "value": "${a + 1}"},
        {"move": "b", "to": "c"},
        {"set": "d", "value": "${c * 10}"},
        {"delete": "a"},
    ]
    assert edited(*entries, a=100) == {"c": 2, "d": 20}


@pytest.mark.parametrize("operation", ["move", "copy"])
def test_an_absent_source_fails_and_names_the_path(operation: str) -> None:
    outcome = node("edit", entries=[{operation: "a.b", "to": "c"}]).run(a={})
    assert isinstance(outcome, Fail)
    assert outcome.code == "source_absent"
    assert "a.b" in outcome.message


def test_the_context_that_came_in_is_never_changed() -> None:
    context = {"a": {"b": [1, {"c": 2}]}, "d": {"e": 1}}
    before = deepcopy(context)
    entries: list[dict[str, Any]] = [
        {"set": "a.b[1].c", "value": 3},
        {"delete": "d.e"},
        {"move": "a.b[0]", "to": "d.f"},
        {"copy": "a", "to": "d.g"},
    ]
    assert edited(*entries, **context) != before
    assert context == before


def test_a_path_that_cannot_be_set_is_an_error() -> None:
    with pytest.raises(PathError):
        edited({"set": "a.b", "value": 1}, a="text")


def test_an_expression_that_fails_is_an_error() -> None:
    with pytest.raises(ExpressionError):
        edited({"set": "a", "value": "${missing}"})


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({}, "none"),
        ({"set": "a", "value": 1, "delete": "b"}, "set, delete"),
        ({"value": 1}, "none"),
        ({"set": "a"}, "`set` needs `value`"),
        ({"move": "a"}, "`move` needs `to`"),
        ({"copy": "a"}, "`copy` needs `to`"),
        ({"set": "a", "value": 1, "to": "b"}, "`to` does not belong to `set`"),
        ({"delete": "a", "value": 1}, "`value` does not belong to `delete`"),
        ({"move": "a", "to": "b", "value": 1}, "`value` does not belong to `move`"),
    ],
)
def test_check_wants_exactly_one_operation_and_what_belongs_to_it(
    entry: dict[str, Any], says: str
) -> None:
    fine = {"set": "a", "value": None}
    ((pointer, message),) = node("edit", entries=[fine, entry]).problems
    assert pointer == "/entries/1"
    assert says in message


def test_the_inner_names_of_fields_are_no_fields() -> None:
    with pytest.raises(ValidationError, match="set_path"):
        node("edit", entries=[{"set_path": "a", "value": 1}])


def test_it_sets_its_targets() -> None:
    entries = [{"set": "a", "value": 1}, {"delete": "b"}, {"move": "c", "to": "d"}]
    edit = node("edit", entries=entries)
    assert edit.kind.sets(edit.config) == ("a", "d")
