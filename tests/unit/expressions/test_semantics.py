"""What expressions mean: the places where the CEL library and the contract part are marked."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from workflows.errors import ExpressionError
from workflows.expressions import evaluate, evaluate_condition

SCOPE: dict[str, Any] = {
    "order": {
        "id": 7,
        "total": 10,
        "ratio": 10.0,
        "note": None,
        "name": "Ada",
        "paid": True,
        "lines": [{"price": 2, "count": 3}, {"price": 5, "count": 1}],
    },
    "loop": {"index": 1},
    "list": [1],
    "now": datetime(2026, 11, 20, 13, 0, tzinfo=UTC),
}


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("order.id", 7),
        ("order['id']", 7),
        ("order.lines[1].price", 5),
        (".order.id", 7),
        ("loop.index + 1", 2),
        ("list[0]", 1),
        ("1 + 2 * 3 - 4", 3),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 % -3", 1),
        ("-7 % 3", -1),
        ("-(-3)", 3),
        ("!!true", True),
        ("2 - 1", 1),
        ("0x10 + 1", 17),
        ("1u + 2u", 3),
        ("'a' + \"b\"", "ab"),
        ("[1] + [2]", [1, 2]),
        ("{'a': 1}.a", 1),
        ("{1: 'a', 2: 'b'}[2.0]", "b"),
        ("has({1: 'a'}[true])", False),
        ("true in {1: 'a'}", False),
        ("order.paid ? 'yes' : 'no'", "yes"),
        ("order.lines.map(l, l.price * l.count)", [6, 5]),
        ("order.lines.map(l, l.price > 2, l.count)", [1]),
        ("order.lines.filter(l, l.price > 2)", [{"price": 5, "count": 1}]),
        ("order.lines.all(l, l.price > 1)", True),
        ("order.lines.exists(l, l.price > 4)", True),
        ("order.lines.exists_one(l, l.price > 1)", False),
        ("{'a': 1, 'b': 2}.map(k, k)", ["a", "b"]),
        ("[[1, 2], [3]].map(x, x.map(x, x + 1))", [[2, 3], [4]]),
        ("[1, 2].map(order, order)", [1, 2]),
        ("order.id // the rest is a comment", 7),
        ("true || 1 / 0 > 1", True),
        ("1 / 0 > 1 || true", True),
        ("1 / 0 > 1 && false", False),
        ("[1, 'a'].exists(x, x > 0)", True),
        ("[0, 'a'].all(x, x > 0)", False),
        ("'b' in {'a': 1}", False),
        ("2 in [1, 2]", True),
        ("true < false", False),
        ("b'\\xff' == b'\\377'", True),
    ],
)
def test_values(source: str, value: Any) -> None:
    assert same(evaluate(source, SCOPE), value)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 == 1.0", True),
        ("1 < 1.5", True),
        ("1.5 > 1", True),
        ("2.0 >= 2u", True),
        ("order.total == order.ratio", True),
        ("1 == '1'", False),
        ("1 != '1'", True),
        ("1 == true", False),
        ("null == 0", False),
        ("null == null", True),
        ("order.note == null", True),
        ("[1] == [1.0]", True),
        ("[1] == [true]", False),
        ("1.0 in [1]", True),
        ("true in [1]", False),
        ("'1' in [1, null]", False),
        ("{'a': 1} == {'a': 1.0}", True),
        ("{'a': 1} == {'b': 1}", False),
        ("9007199254740993 == 9007199254740992.0", False),
        ("9223372036854775807 < 9223372036854775808.0", True),
        ("order.total > 5.0", True),
    ],
)
def test_numbers_compare_across_types_and_other_types_are_unequal(
    source: str,
    value: bool,  # noqa: FBT001 - a case
) -> None:
    assert evaluate(source, SCOPE) is value
    assert evaluate_condition(source, SCOPE) is value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("2.5 + 1", 3.5),
        ("1 + 2.5", 3.5),
        ("type(2.5 + 1) == double", True),
        ("3 * 1.0", 3.0),
        ("string(null)", "null"),
        ("string(1.5)", "1.5"),
        ("'''a\nb'''", "a\nb"),
        (r"'\X41\?\u00e9\U0001F680\101'", "A?é🚀A"),
        (r"r'\d+'", r"\d+"),
        (r'r"\" + "x"', "\\x"),
        ("1.0 / 0.0 > 1.0", True),
        ("order.total % 3", 1),
    ],
)
def test_deviations_of_the_library_are_mended(source: str, value: Any) -> None:
    assert same(evaluate(source, SCOPE), value)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("[1, 2][-1]", "negative"),
        ("'abc'[0]", "not string"),
        ("1 && true", "booleans, not int"),
        ("true && 1", "booleans, not int"),
        ("false || 'a'", "booleans, not string"),
        ("!1", "boolean, not int"),
        ("1 ? 2 : 3", "boolean"),
        ("1 < 'a'", "does not take int and string"),
        ("null < 1", "does not take null and int"),
        ("'a' + 1", "does not take string and int"),
        ("1 / 0", "division by zero"),
        ("5 % 0", "division by zero"),
        ("9223372036854775807 + 1", "64 bit"),
        ("-9223372036854775808 - 1", "64 bit"),
        ("9223372036854775808", "64 bit"),
        ("1u - 2u", "64 bit"),
        ("18446744073709551615u", "64 bit"),
        ("1.0 / 0.0", "NaN or infinity"),
        ("[0.0 / 0.0]", "NaN or infinity"),
        ("1e999", "too large"),
        ("int", "is a type"),
        ("[1, 2].filter(x, x)", "boolean, not int"),
        ("1.map(x, x)", "not expected here"),
        ("order.id.map(x, x)", "a list or a map, not int"),
        ("{'a': 1, 'a': 2}", "twice"),
        ("{1: 'a', true: 'b'}", "twice"),
        ("{1.5: 1}", "must not be of type double"),
        ("'a' in 'abc'", "use contains"),
        (r"'\0'", "escape"),
        (r"'\u0000'", "NUL"),
        (r"'\ud800'", "surrogate"),
        (r"'\q'", "escape"),
        ("Type{a: 1}", "messages are not supported"),
        ("now + now", "does not take timestamp and timestamp"),
        ("now + duration('P9999999D')", "range"),
    ],
)
def test_what_makes_no_sense_is_an_error(source: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        evaluate(source, SCOPE)
    assert reason in refused.value.message
    assert refused.value.line is not None


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("default(order.missing, 3)", 3),
        ("default(order.missing.deeper, 3)", 3),
        ("default(order.note, 3)", 3),
        ("default(order.note.deeper, 3)", 3),
        ("default(order.lines[9].price, 3)", 3),
        ("default(order['x y'], 3)", 3),
        ("default(nobody, 3)", 3),
        ("order.missing.default(3)", 3),
        ("default(order.id, 3)", 7),
        ("default(false, true)", False),
        ("default(0, 1)", 0),
        ("default(order.id, 1 / 0)", 7),
        ("has(order.id)", True),
        ("has(order.note)", True),
        ("has(order.missing)", False),
        ("has(order.missing.deeper)", False),
        ("has(nobody.x)", False),
        ("has(order.id) && order.id > 3", True),
        ("empty(order.missing)", True),
        ("empty(order.note)", True),
        ("empty(order.lines)", False),
    ],
)
def test_what_is_absent_can_be_asked_for(source: str, value: Any) -> None:
    assert same(evaluate(source, SCOPE), value)


def test_default_hides_absence_only() -> None:
    with pytest.raises(ExpressionError, match="division by zero"):
        evaluate("default(1 / 0, 3)", SCOPE)


@pytest.mark.parametrize("source", ["order.missing", "order.id.x", "nobody", "order.lines[2]"])
def test_reading_what_is_absent_is_an_error_otherwise(source: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        evaluate(source, SCOPE)
    assert repr(source) in refused.value.message


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("now", "2026-11-20T13:00:00Z"),
        ("now + duration('PT1H30M')", "2026-11-20T14:30:00Z"),
        ("now - timestamp('2026-11-19T12:00:00Z')", "P1DT1H"),
        ("[now, 1]", ["2026-11-20T13:00:00Z", 1]),
        ("{'at': now}", {"at": "2026-11-20T13:00:00Z"}),
        ("timestamp('2026-11-20T13:00:00.5+02:00')", "2026-11-20T13:00:00.500000+02:00"),
        ("duration('-90s')", "-PT1M30S"),
        ("days(1) - hours(24)", "PT0S"),
        ("now > timestamp('2026-01-01T00:00:00Z')", True),
        ("b'abc'", "YWJj"),
        ("{1: true}", {"1": True}),
        ("2 * minutes(1)", "PT2M"),
    ],
)
def test_results_are_plain_json(source: str, value: Any) -> None:
    assert same(evaluate(source, SCOPE), value)


def test_now_may_be_in_any_zone() -> None:
    scope = {"now": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))}
    assert evaluate("now", scope) == "2026-01-01T00:00:00+02:00"
    assert evaluate("now == timestamp('2025-12-31T22:00:00Z')", scope) is True


@pytest.mark.parametrize("source", ["1", "'true'", "null", "order", "now"])
def test_a_condition_must_be_boolean(source: str) -> None:
    with pytest.raises(ExpressionError, match="must be true or false"):
        evaluate_condition(source, SCOPE)


def test_ints_stay_ints_and_floats_stay_floats() -> None:
    big = 2**63 - 1
    assert same(evaluate("n", {"n": big}), big)
    assert same(evaluate("[n, f]", {"n": big, "f": 1.0})[0], big)
    assert same(evaluate("f", {"f": 1.0}), 1.0)


def test_evaluation_never_changes_the_scope() -> None:
    before = deepcopy(SCOPE)
    for source in ("order.lines + [1]", "sort(order.lines, 'price')", "order.lines.map(l, [l])"):
        evaluate(source, SCOPE)
    assert before == SCOPE
