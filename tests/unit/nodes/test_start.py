from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import node
from workflows.nodes.outcomes import Continue, Fail


def test_without_init_the_input_is_the_context() -> None:
    assert node("start").run(order={"id": 7}, note=None) == Continue(
        {"order": {"id": 7}, "note": None}
    )


def test_an_empty_init_starts_with_nothing() -> None:
    assert node("start", init=[]).run(order=1) == Continue({}, input={"order": 1})


def test_init_takes_only_the_listed_entries() -> None:
    start = node("start", init=[{"path": "order.id"}])
    assert start.run(order={"id": 7, "total": 9}, extra=1) == Continue(
        {"order": {"id": 7}}, input={"order": {"id": 7, "total": 9}, "extra": 1}
    )


def test_null_counts_as_provided() -> None:
    required = {"path": "a", "type": "string"}
    optional = {"path": "b", "required": False, "default": 5}
    outcome = node("start", init=[required, optional]).run(a=None, b=None)
    assert outcome == Continue({"a": None, "b": None}, input={"a": None, "b": None})


def test_an_entry_is_required_unless_it_says_otherwise_and_the_failure_names_its_path() -> None:
    outcome = node("start", init=[{"path": "order.id"}]).run(order={})
    assert isinstance(outcome, Fail)
    assert outcome.code == "input_missing"
    assert "order.id" in outcome.message
    assert not outcome.fatal


@pytest.mark.parametrize("default", [5, None, [], {"a": 1}])
def test_an_absent_optional_entry_takes_its_default(default: Any) -> None:
    start = node("start", init=[{"path": "a.b", "required": False, "default": default}])
    assert start.run() == Continue({"a": {"b": default}}, input={})


def test_an_absent_optional_entry_without_a_default_is_left_out() -> None:
    assert node("start", init=[{"path": "a", "required": False}]).run() == Continue({}, input={})


def test_value_is_computed_from_the_input_and_not_from_what_was_set_before() -> None:
    init = [{"path": "a", "value": 1}, {"path": "b", "value": {"twice": "${a * 2}"}}]
    assert node("start", init=init).run(a=20) == Continue(
        {"a": 1, "b": {"twice": 40}}, input={"a": 20}
    )


def test_a_value_of_something_absent_is_absent() -> None:
    optional = node(
        "start", init=[{"path": "a", "value": "${b.c}", "required": False, "default": 3}]
    )
    assert optional.run(b={}) == Continue({"a": 3}, input={"b": {}})
    required = node("start", init=[{"path": "a", "value": "${b.c}"}]).run(b={})
    assert isinstance(required, Fail)
    assert required.code == "input_missing"


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("string", ""),
        ("integer", 2**63 - 1),
        ("number", 3),
        ("number", 3.5),
        ("boolean", False),
        ("object", {}),
        ("array", []),
    ],
)
def test_type_lets_its_own_values_pass(type_name: str, value: Any) -> None:
    outcome = node("start", init=[{"path": "a", "type": type_name}]).run(a=value)
    assert outcome == Continue({"a": value}, input={"a": value})


@pytest.mark.parametrize(
    ("type_name", "value", "found"),
    [
        ("string", 1, "integer"),
        ("integer", 1.0, "number"),
        ("integer", True, "boolean"),
        ("number", True, "boolean"),
        ("boolean", 0, "integer"),
        ("object", [], "array"),
        ("array", {}, "object"),
        ("array", "secret", "string"),
    ],
)
def test_type_refuses_others_and_says_both_but_never_the_value(
    type_name: str, value: Any, found: str
) -> None:
    outcome = node("start", init=[{"path": "a", "type": type_name}]).run(a=value)
    assert isinstance(outcome, Fail)
    assert outcome.code == "input_type"
    assert "'a'" in outcome.message
    assert type_name in outcome.message
    assert found in outcome.message
    assert "secret" not in outcome.message


def test_check_refuses_a_default_of_another_type() -> None:
    init = [{"path": "a"}, {"path": "b", "required": False, "type": "integer", "default": "1"}]
    assert [pointer for pointer, _ in node("start", init=init).problems] == ["/init/1/default"]
    assert node("start", init=[{"path": "b", "type": "integer", "default": 1}]).problems == []


def test_an_unknown_type_or_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="integer"):
        node("start", init=[{"path": "a", "type": "int"}])
    with pytest.raises(ValidationError, match="defautl"):
        node("start", init=[{"path": "a", "defautl": 1}])


def test_it_sets_the_paths_of_init() -> None:
    start = node("start", init=[{"path": "a.b"}, {"path": "c"}], next="x")
    assert start.kind.sets(start.config) == ("a.b", "c")
    assert start.ports == {"next": "x"}
