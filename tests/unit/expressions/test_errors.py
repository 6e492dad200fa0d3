"""Errors name the expression and the place, and never the data."""

import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from workflows.errors import ExpressionError
from workflows.expressions import evaluate, evaluate_condition, render

SECRET = "hunter2"  # noqa: S105 - made up
SCOPE: dict[str, Any] = {
    "login": {"password": SECRET, "names": [SECRET], "map": {SECRET: 1}, "n": 5},
    f"key_{SECRET}": 1,
}


@pytest.mark.parametrize(
    "source",
    [
        "logon",
        "key_hunter",
        "login.pasword",
        "login.password.x",
        "login['x']",
        "login[login.password]",
        "login.password + 1",
        "login.password - 1",
        "login.password < 1",
        "login.password && true",
        "!login.password",
        "-login.password",
        "login.password[0]",
        "login.names[5]",
        "login.names[login.password]",
        "login.names + login.password",
        "login.map[login]",
        "login.password ? 1 : 2",
        "login.password in login.n",
        "login.password.map(x, x)",
        "login.names.filter(x, x)",
        "login.names.map(x, x / 0)",
        "int(login.password)",
        "to_int(login.password)",
        "to_bool(login.password)",
        "timestamp(login.password)",
        "duration(login.password)",
        "matches(login.password, '(' + login.password)",
        "semver(login.password, login.password)",
        "date('2026-01-01', login.password)",
        "sort([login.password, 1])",
        "group_by([login], 'names')",
        "lower(login)",
        "{login: 1}",
        "login.all(k, login[k])",
        "format_date(now, '%d')",
    ],
)
def test_no_error_shows_data(source: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(ExpressionError) as refused:
        evaluate(source, SCOPE)
    error = refused.value
    shown = "".join(traceback.format_exception(error)) + caplog.text
    assert SECRET not in shown + repr(error.details) + repr(error.args)
    assert repr(source)[1:-1] in error.message
    assert (error.line, error.code) == (1, "expression_error")
    assert error.column is not None


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (object(), "v == 1"),
        (object(), "v"),
        ({"a": object()}, "[v]"),
        ((1, 2), "v.size()"),
        (1j, "v + 1"),
    ],
)
def test_values_that_are_no_json_are_our_error(value: Any, source: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(source, {"v": value})


def test_the_place_is_found_in_long_expressions() -> None:
    source = "order.id > 1 &&\n  order.total >\n  order.limt"
    scope = {"order": {"id": 2, "total": 5}}
    with pytest.raises(ExpressionError) as refused:
        evaluate_condition(source, scope)
    assert (refused.value.line, refused.value.column) == (3, 9)
    assert "order.limt" in refused.value.message


def test_a_long_expression_is_not_repeated_as_a_whole() -> None:
    with pytest.raises(ExpressionError) as refused:
        evaluate("1 + '" + "x" * 3000 + "'", {})
    assert len(refused.value.message) < 300


def test_threads_never_see_each_other_s_values() -> None:
    def work(number: int) -> list[Any]:
        scope = {"mine": {"value": number, "items": list(range(number, number + 5))}}
        source = f"mine.items.map(i, [i, mine.value, {number}])"
        return [evaluate(source, scope) for _ in range(200)] + [
            render("${mine.value}:${mine.items[1]}", scope) for _ in range(200)
        ]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    for number, made in enumerate(results):
        rows = [[i, number, number] for i in range(number, number + 5)]
        assert made == [rows] * 200 + [f"{number}:{number + 1}"] * 200


def test_threads_can_compile_at_once() -> None:
    def work(number: int) -> list[Any]:
        return [evaluate(f"[{number}, {turn}].map(x, x * 2)", {}) for turn in range(60)]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(1000, 1008)))
    assert results == [
        [[number * 2, turn * 2] for turn in range(60)] for number in range(1000, 1008)
    ]
