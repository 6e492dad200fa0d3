from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import Node, node
from workflows.errors import ExpressionError
from workflows.nodes.outcomes import Continue


def switch(*choices: dict[str, Any]) -> Node:
    return node("switch", choices=list(choices), default="other")


def port(outcome: object) -> str:
    assert isinstance(outcome, Continue)
    return outcome.port


def test_the_first_true_choice_wins_and_the_context_stays() -> None:
    big = switch(
        {"name": "big", "when": "total > 100", "next": "ask"},
        {"name": "any", "when": "true", "next": "pay"},
    )
    assert big.run(total=500) == Continue({"total": 500}, port="big")
    assert big.run(total=5) == Continue({"total": 5}, port="any")


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_condition_is_passed_over(blank: str) -> None:
    assert port(switch({"when": blank, "next": "a"}, {"when": "true", "next": "b"}).run()) == "1"


def test_a_condition_left_out_is_blank() -> None:
    assert port(switch({"next": "a"}).run()) == "default"


def test_a_true_choice_without_next_is_passed_over_and_the_search_goes_on() -> None:
    assert port(switch({"when": "true"}, {"when": "true", "next": "b"}).run()) == "1"
    assert port(switch({"when": "true"}).run()) == "default"


def test_no_choice_at_all_leads_to_default() -> None:
    assert port(switch().run()) == "default"


def test_default_is_required() -> None:
    with pytest.raises(ValidationError, match="default"):
        node("switch", choices=[])
    other = switch()
    assert other.kind.required_ports(other.config) == ("default",)


@pytest.mark.parametrize("when", ["total", "'true'", "missing > 1", "1 / 0 > 1", "null"])
def test_a_condition_that_is_no_boolean_or_fails_is_an_error(when: str) -> None:
    with pytest.raises(ExpressionError):
        switch({"when": when, "next": "a"}).run(total=1)


def test_an_error_is_not_hidden_by_a_choice_that_leads_nowhere() -> None:
    with pytest.raises(ExpressionError):
        switch({"when": "missing"}).run()


def test_conditions_behind_the_winner_are_not_asked() -> None:
    assert port(switch({"when": "true", "next": "a"}, {"when": "missing"}).run()) == "0"


def test_ports_are_named_by_name_or_index() -> None:
    ways = node(
        "switch",
        choices=[{"name": "big", "next": "a"}, {"next": "b"}, {"when": "true"}],
        default="c",
        on_error="d",
    )
    assert ways.kind.ports(ways.config) == {
        "big": "a",
        "1": "b",
        "2": None,
        "default": "c",
        "on_error": "d",
    }


@pytest.mark.parametrize("taken", ["same", "default", "on_error"])
def test_check_refuses_a_port_name_that_is_taken(taken: str) -> None:
    pointers = [pointer for pointer, _ in switch({"name": "same"}, {"name": taken}).problems]
    assert pointers == ["/choices/1/name"]


def test_check_refuses_a_name_that_is_another_choices_index() -> None:
    assert [pointer for pointer, _ in switch({"name": "1"}, {}).problems] == ["/choices/1/name"]
