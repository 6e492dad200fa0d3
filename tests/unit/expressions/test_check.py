"""What `check` finds in an expression, and how it refuses what is none."""

import pytest

from workflows.errors import ExpressionError, ExpressionLimitError
from workflows.expressions import check


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("order.id", {"order"}),
        ("a + b.c[d]", {"a", "b", "d"}),
        ("items.map(i, i.price * rate)", {"items", "rate"}),
        ("items.map(i, i).map(j, i)", {"items", "i"}),
        ("xs.filter(x, ys.exists(y, y == x))", {"xs", "ys"}),
        ("{a: b}", {"a", "b"}),
        ("type(x) == int", {"x"}),
        ("default(a.b, c)", {"a", "c"}),
        ("'text ${x}'", set()),
        ("now - duration('P1D')", {"now"}),
        ("loop.index", {"loop"}),
    ],
)
def test_free_names(source: str, names: set[str]) -> None:
    assert check(source).names == names


def test_functions_and_macros() -> None:
    used = check("xs.filter(x, lower(x) == 'a').map(x, size(x))").functions
    assert used == {"filter", "map", "lower", "size"}


@pytest.mark.parametrize(
    ("source", "line", "column", "reason"),
    [
        ("", 1, 1, "blank"),
        (" \n ", 1, 1, "blank"),
        ("a b", 1, 3, "'b' is not expected"),
        ("a +", 1, 4, "ends too early"),
        ("a +\n  * b", 2, 3, "'*' is not expected"),
        ("a == 'x' 'y'", 1, 10, "a text is not expected"),
        ("(a", 1, 1, "'(' is not closed"),
        ("a)", 1, 2, "')' closes nothing"),
        ("[1}", 1, 3, "'}' closes nothing"),
        ("a ==\n 'x", 2, 2, "not closed by its quote"),
        ("lowr(a)", 1, 1, "did you mean 'lower'?"),
        ("a.b.\n  flter(x, true)", 2, 3, "did you mean 'filter'?"),
        ("lower()", 1, 1, "lower(text: string) -> string"),
        ("a.lower(b)", 1, 3, "lower(text: string) -> string"),
        ("map(a, b)", 1, 1, "list.map(item, ...)"),
        ("a.map(1, b)", 1, 3, "plain name"),
        ("a.filter(x)", 1, 3, "list.filter(item, "),
        ("a @ b", 1, 3, "'@' is not expected"),
        ("99999999999999999999", 1, 1, "64 bit"),
    ],
)
def test_a_refusal_has_its_place(source: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        check(source)
    assert reason in refused.value.message
    assert (refused.value.line, refused.value.column) == (line, column)
    assert not isinstance(refused.value, ExpressionLimitError)


@pytest.mark.parametrize(
    "source",
    [
        "a" * 5000,
        "a" + " " * 5000,
        "a" + ".b" * 200,
        "1" + "+1" * 300,
        "(" * 100 + "1" + ")" * 100,
        "[" * 200 + "]" * 200,
        "!" * 4000 + "true",
        "- " * 1000 + "1",
        "a" + ".b" * 1000,
        "true" + "?true:false" * 200,
    ],
    ids=lambda source: source[:12],
)
def test_what_is_too_large_is_refused_before_it_runs(source: str) -> None:
    with pytest.raises(ExpressionLimitError, match="was stopped"):
        check(source)


@pytest.mark.parametrize(
    "source",
    [
        " && ".join(["a"] * 100),
        " + ".join(["a"] * 100),
        "a" + ".b" * 90,
        "(" * 32 + "1" + ")" * 32,
        "[" * 32 + "]" * 32,
        "f" * 4096,
        "'" + "x" * 4094 + "'",
        "[" + ",".join("1" * 500) + "]",
    ],
    ids=lambda source: source[:12],
)
def test_what_is_large_but_sane_passes(source: str) -> None:
    check(source)
