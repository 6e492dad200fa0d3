"""What holds for every expression and template."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.context.values import check_value, equal
from workflows.errors import ExpressionError
from workflows.expressions import check_template, evaluate, evaluate_condition, render

PIECES = st.sampled_from(
    [
        *("a", "b", "x", "now", "1", "0", "-1", "2.5", "3u", "true", "false", "null", "'t'", '"'),
        *(
            "+",
            "-",
            "*",
            "/",
            "%",
            "==",
            "!=",
            "<",
            ">=",
            "&&",
            "||",
            "!",
            "in",
            "?",
            ":",
            ".",
            ",",
        ),
        *("(", ")", "[", "]", "{", "}", "'", "r'", "b'", "'''", "\\", "\\a", "//", "\n", " "),
        *(".map(x, ", ".filter(x, ", ".all(x, ", "size(", "sum(", "default(", "has(", "lower("),
        *(".b", "[0]", "'k': 1", "$", "${", "@", "é", "\0"),
    ]
)
SOURCES = st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60)
SCOPE: dict[str, Any] = {"a": {"b": [1, 2.5, "s", None, {"b": True}]}, "b": [3, 1, 2], "x": 5}
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(max_examples=500, deadline=None)
@given(SOURCES)
def test_any_text_gives_json_or_our_error(source: str) -> None:
    before = deepcopy(SCOPE)
    value, error = None, None
    try:
        value = evaluate(source, SCOPE)
    except ExpressionError as raised:
        error = raised
    check_value(value)
    assert error is None or error.line is not None
    assert before == SCOPE


@settings(max_examples=300, deadline=None)
@given(SOURCES)
def test_checking_a_template_never_raises_and_agrees_with_rendering(template: str) -> None:
    problems = check_template([template]).problems
    try:
        render(template, SCOPE)
    except ExpressionError:
        return
    assert not problems


@settings(deadline=None)
@given(VALUES)
def test_values_pass_through_unchanged(value: Any) -> None:
    scope = {"v": value}
    assert equal(evaluate("v", scope), value)
    assert equal(evaluate("[v][0]", scope), value)
    assert equal(evaluate("{'k': v}", scope), {"k": value})
    assert equal(render({"k": "${v}"}, scope), {"k": value})


@settings(deadline=None)
@given(VALUES, VALUES)
def test_equality_is_that_of_json(one: Any, other: Any) -> None:
    scope = {"one": one, "other": other}
    assert evaluate_condition("one == other", scope) is equal(one, other)
    assert evaluate_condition("one != other", scope) is not equal(one, other)
    assert evaluate_condition("one in [null, other]", scope) is (one is None or equal(one, other))
    assert evaluate_condition("one == one", scope)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_texts_survive_quoting_in_templates(text: str) -> None:
    assert render("<${v}>", {"v": text}) == f"<{text}>"
    assert render(text.replace("${", "$${"), {}) == text or "$${" in text


@settings(deadline=None)
@given(st.lists(st.integers(-(2**40), 2**40), min_size=1))
def test_lists_are_folded_as_python_folds_them(items: list[int]) -> None:
    scope = {"xs": items}
    assert evaluate("sum(xs)", scope) == sum(items)
    assert evaluate("[min(xs), max(xs)]", scope) == [min(items), max(items)]
    assert evaluate("sort(xs)", scope) == sorted(items)
    assert evaluate("distinct(xs)", scope) == list(dict.fromkeys(items))
    assert evaluate("xs.filter(x, x > 0).size()", scope) == sum(item > 0 for item in items)


INTEGERS = st.integers(-99, 99).map(str)
SIGNS = st.sampled_from(["+", "-", "*", "/", "%"])
ARITHMETIC = st.recursive(
    INTEGERS | st.sampled_from(["p", "q"]),
    lambda inner: st.tuples(inner, SIGNS, inner).map(lambda parts: f"({' '.join(parts)})"),
    max_leaves=8,
)
CONDITIONS = st.recursive(
    st.tuples(ARITHMETIC, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), ARITHMETIC).map(
        " ".join
    ),
    lambda inner: st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(
        lambda parts: f"({' '.join(parts)})"
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def second_opinion() -> Any:
    """cel-python's own interpreter: on integers and logic the two must agree."""
    import sys  # noqa: PLC0415

    celpy = pytest.importorskip("celpy")
    limit = sys.getrecursionlimit()
    environment = celpy.Environment()
    sys.setrecursionlimit(limit)

    def answer(source: str, p: int, q: int) -> Any:
        program = environment.program(environment.compile(source))
        scope = {"p": celpy.celtypes.IntType(p), "q": celpy.celtypes.IntType(q)}
        try:
            value = program.evaluate(scope)
        except celpy.CELEvalError:
            return "error"
        return bool(value) if isinstance(value, celpy.celtypes.BoolType) else int(value)

    return answer


@settings(max_examples=150, deadline=None)
@given(ARITHMETIC | CONDITIONS, st.integers(-9, 9), st.integers(-9, 9))
def test_integers_and_logic_agree_with_the_library(
    second_opinion: Any, source: str, p: int, q: int
) -> None:
    try:
        mine: Any = evaluate(source, {"p": p, "q": q})
    except ExpressionError:
        mine = "error"
    assert mine == second_opinion(source, p, q)
