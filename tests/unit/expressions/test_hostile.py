"""Hostile expressions stop: with our errors, in little time and memory, silently."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workflows.errors import ExpressionLimitError
from workflows.expressions import check, evaluate
from workflows.expressions.limits import MAX_UNITS

ROOT = Path(__file__).parents[3]

#: Not stopped but answered: what they ask for is cheap here.
HARMLESS = {
    "lexer, raw that ends in a backslash": "value",
    "nested macros, 5": "value",
    "comparing what is shared": "value",
    "evil pattern on a short text": "value",
}
#: Refused as wrong, not as too large.
WRONG = {
    "lexer, double quote",
    "lexer, many",
    "lexer, hex escapes",
    "lexer, raw",
    "lexer, triple",
    "lexer, quotes only",
    "a huge integer",
    "a huge fraction",
    "a huge hexadecimal",
    "a huge integer in text",
    "evil pattern, too large",
    "long version",
    "long duration",
    "format",
}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Any]:
    # A quarter of a second for each, and as much again for a busy machine and the interpreter.
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.expressions.hostile"],
        cwd=ROOT,
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert done.stderr == b""
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def test_hostile_expressions_are_stopped_in_time(outcomes: dict[str, Any]) -> None:
    made = {name: what for name, what in outcomes.items() if not name.startswith("template: ")}
    expected = {
        name: HARMLESS.get(name, "ExpressionError" if name in WRONG else "ExpressionLimitError")
        for name in made
    }
    assert made == expected


def test_hostile_templates_are_refused_in_time(outcomes: dict[str, Any]) -> None:
    made = {name: what for name, what in outcomes.items() if name.startswith("template: ")}
    assert made == {
        "template: open": "1 problems",
        "template: open texts": "1 problems",
        "template: many": "1 problems",
        "template: dollars": "0 problems",
        "template: brackets": "1 problems",
    }


def test_the_same_expression_stops_at_the_same_place() -> None:
    # Counted in steps: a slow machine refuses no more than a fast one.
    source = "xs.map(x, x + 1).size()"
    just = {"xs": [0] * (MAX_UNITS // 100)}
    assert evaluate(source, just) == len(just["xs"])
    with pytest.raises(ExpressionLimitError, match="steps"):
        evaluate("xs.all(x, xs.all(y, true))", just)


def test_limits_cannot_be_swallowed() -> None:
    scope = {"xs": list(range(5000))}
    loop = "xs.all(a, xs.all(b, xs.all(c, true)))"
    for source in (
        f"{loop} || true",
        f"default({loop}, 1)",
        f"has({loop})",
        f"[1].exists(x, {loop})",
    ):
        with pytest.raises(ExpressionLimitError):
            evaluate(source, scope)


def test_the_recursion_limit_of_the_process_stays() -> None:
    before = sys.getrecursionlimit()
    check("a == 1 ? [b] : {'c': d}")
    assert sys.getrecursionlimit() == before


def test_a_stack_that_is_nearly_full_gives_our_error() -> None:
    def descend(levels: int) -> Any:
        return descend(levels - 1) if levels else evaluate("+".join(["1"] * 90), {})

    frames = 0
    frame: Any = sys._getframe()
    while frame is not None:
        frames, frame = frames + 1, frame.f_back
    with pytest.raises(ExpressionLimitError):
        descend(sys.getrecursionlimit() - frames - 60)


def test_ten_thousand_items_are_normal_use() -> None:
    rows = [{"price": n, "name": f"n{n}", "ok": n % 2 == 0} for n in range(10_000)]
    scope = {"rows": rows, "xs": list(range(10_000))}
    assert evaluate("sum(xs)", scope) == sum(range(10_000))
    assert len(evaluate("rows.filter(r, r.ok && r.price > 10)", scope)) == 4994
    assert evaluate("sum(rows.map(r, r.price * 2))", scope) == 2 * sum(range(10_000))
    assert len(evaluate("sort(rows, 'name')", scope)) == 10_000
    assert evaluate("rows.all(r, has(r.name))", scope) is True
