"""Expressions that belong together spend from one budget, by steps and by time."""

import time
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from workflows.errors import ExpressionError, ExpressionLimitError
from workflows.expressions import (
    Budget,
    check_budget,
    evaluate,
    evaluate_condition,
    limits,
    render,
    render_entry,
)
from workflows.expressions.cache import Cache
from workflows.expressions.evaluate import PROGRAMS, program
from workflows.expressions.limits import MAX_KEPT, MAX_SECONDS, MAX_UNITS, LimitError
from workflows.expressions.parse import parse

#: About a third of a budget, over `SCOPE`.
THIRD = "xs.all(x, xs.all(y, true))"
SCOPE: dict[str, Any] = {"xs": list(range(258))}


class FakeTime:
    """Processor time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr(time, "thread_time", fake)
    return fake


def test_each_way_of_evaluating_spends_from_the_budget_it_is_given() -> None:
    budget = Budget("node 'a'")
    assert evaluate(THIRD, SCOPE, budget) is True
    assert evaluate_condition(THIRD, SCOPE, budget) is True
    with pytest.raises(ExpressionLimitError) as caught:
        render({"a": ["${" + THIRD + "}"]}, SCOPE, budget)
    assert f"{MAX_UNITS} steps were not enough" in caught.value.message
    assert "the expressions of node 'a' together" in caught.value.message
    assert repr(THIRD) in caught.value.message
    assert budget.is_used_up


def test_one_template_is_one_budget() -> None:
    assert render(["${" + THIRD + "}"] * 2, SCOPE) == [True, True]
    with pytest.raises(ExpressionLimitError):
        render(["${" + THIRD + "}"] * 3, SCOPE)


def test_a_budget_that_is_used_up_stops_everything_that_follows() -> None:
    budget = Budget("node 'a'")
    with pytest.raises(ExpressionLimitError):
        evaluate(f"xs.map(x, {THIRD})", SCOPE, budget)
    for attempt in (
        lambda: evaluate("1", {}, budget),
        lambda: evaluate_condition("true", {}, budget),
        lambda: render_entry("${xs}", SCOPE, budget),
        lambda: check_budget(budget),
    ):
        with pytest.raises(ExpressionLimitError, match="node 'a'"):
            attempt()
    assert evaluate(THIRD, SCOPE) is True  # on its own it may


def stopped_after(source: str, scope: dict[str, Any]) -> int:
    """Return how often a text can be rendered with one budget."""
    budget = Budget("node 'a'")
    for done in range(MAX_UNITS):
        try:
            render(source, scope, budget)
        except ExpressionLimitError as error:
            assert "steps" in error.message  # noqa: PT017 - counts what went well before
            return done
    return MAX_UNITS


@pytest.fixture
def _no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time stand still: only the steps are counted."""
    monkeypatch.setattr(limits, "time", SimpleNamespace(thread_time=lambda: 0.0))


@pytest.mark.usefixtures("_no_time")
def test_many_cheap_expressions_come_to_an_end_too() -> None:
    assert 10_000 < stopped_after("${n}", {"n": 1}) < 100_000


@pytest.mark.usefixtures("_no_time")
def test_texts_that_are_joined_are_paid_for() -> None:
    assert 10 < stopped_after("text: ${big}", {"big": "x" * 500_000}) < 100


def test_the_time_of_a_budget_runs_between_its_expressions_as_well(processor: FakeTime) -> None:
    budget = Budget("node 'a'")
    processor.now = MAX_SECONDS
    check_budget(budget)
    processor.now += 0.001
    with pytest.raises(ExpressionLimitError) as caught:
        check_budget(budget)
    assert (
        f"{MAX_SECONDS} s were not enough for the expressions of node 'a'" in caught.value.message
    )
    processor.now = 0.0
    with pytest.raises(ExpressionLimitError):
        check_budget(budget)


def test_the_time_stands_still_while_expressions_are_compiled(
    processor: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node must not fail because its worker has to compile it again."""

    def slow_parse(source: str) -> Any:
        processor.now += 10 * MAX_SECONDS
        return parse(source)

    monkeypatch.setattr(import_module(program.__module__), "parse", slow_parse)
    budget = Budget("node 'a'")
    assert evaluate("n + 12345", {"n": 1}, budget) == 12346
    assert render("${n + 12346} and ${n + 12347}", {"n": 1}, budget) == "12347 and 12348"
    with pytest.raises(ExpressionError):
        evaluate("n + 12348 +", {"n": 1}, budget)
    check_budget(budget)


def test_a_paused_budget_has_as_much_left_as_before(processor: FakeTime) -> None:
    budget = Budget()
    processor.now = MAX_SECONDS - 0.01
    with budget.paused():
        processor.now += 100
    budget.look()
    processor.now += 0.02
    with pytest.raises(LimitError):
        budget.look()


class Piece:
    def __init__(self, weight: int) -> None:
        self.weight = weight


def test_a_cache_keeps_what_is_asked_for_and_drops_the_rest_by_weight() -> None:
    cache = Cache[Piece](100)
    used = cache.keep("used", Piece(10))
    for number in range(30):
        cache.keep(str(number), Piece(30))
        assert cache.find("used") is used
    assert cache.find("0") is None
    kept = [number for number in range(30) if cache.find(str(number))]
    assert kept
    assert len(kept) * 30 <= 2 * 100
    cache.clear()
    assert cache.find("used") is None


def test_what_is_kept_for_ever_new_expressions_is_bounded() -> None:
    """By its size: a few long expressions weigh as much as many short ones."""
    PROGRAMS.clear()
    long = "+".join(["n"] * 90)
    first = [f"{number} + {long}" for number in range(20)]
    compiled = [program(source) for source in first]
    assert sum(one.weight for one in compiled) > 20 * 180
    assert program(first[0]) is compiled[0]
    for number in range(2 * MAX_KEPT // compiled[0].weight + 20):
        PROGRAMS.keep(str(number), compiled[0])
    assert program(first[0]) is not compiled[0]
