"""Every function does what its own examples say, and refuses what it should."""

import shlex
import subprocess
from typing import Any

import pytest

from workflows.errors import ExpressionError
from workflows.expressions import FUNCTIONS, Function, check, evaluate

LISTED = [
    "lower",
    "upper",
    "trim",
    "split",
    "join",
    "replace",
    "contains",
    "startsWith",
    "shell_quote",
    "json_escape",
    "url_encode",
    "html_escape",
    "default",
    "empty",
    "to_string",
    "to_int",
    "to_float",
    "to_bool",
    "first",
    "last",
    "length",
    "keys",
    "values",
    "sum",
    "avg",
    "min",
    "max",
    "sort",
    "distinct",
    "flatten",
    "group_by",
    "date",
    "duration",
    "semver",
    "sha256",
    "has",
    "size",
    "matches",
    "timestamp",
]


@pytest.mark.parametrize("name", LISTED)
def test_the_contract_s_functions_are_there(name: str) -> None:
    assert name in FUNCTIONS


@pytest.mark.parametrize(
    ("source", "result"),
    [example for each in FUNCTIONS.values() for example in each.examples],
)
def test_examples(source: str, result: Any) -> None:
    value = evaluate(source, {})
    assert value == result
    assert type(value) is type(result)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda each: each.name)
def test_each_function_documents_itself(function: Function) -> None:
    assert function.doc.endswith(".")
    assert function.examples
    assert function.signature.startswith(f"{function.name}(")
    assert any(function.name in check(source).functions for source, _ in function.examples)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("' X '.trim().lower()", "x"),
        ("'a,b'.split(',').join('-')", "a-b"),
        ("'abc'.contains('b')", True),
        ("[1, 2].contains(2.0)", True),
        ("'abc'.startsWith('ab')", True),
        ("[3, 1].sort()", [1, 3]),
        ("{'b': 1, 'a': 2}.keys().sort()", ["a", "b"]),
        ("[1, 2].sum()", 3),
        ("[[1], []].flatten().size()", 1),
        ("'1.2.3'.semver('^1')", True),
    ],
)
def test_both_call_styles(source: str, result: Any) -> None:
    assert evaluate(source, {}) == result


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("lower(1)", "takes a string as text, not int"),
        ("split('a', '')", "not empty"),
        ("replace('a', '', 'b')", "not empty"),
        ("substring('a', -1)", "from 0"),
        ("'a'.contains(1)", "looks for a string"),
        ("matches('a', '(')", "no RE2 pattern"),
        ("to_int('x')", "not a number"),
        ("to_int('9223372036854775808')", "64 bit"),
        ("to_int(1e300)", "64 bit"),
        ("int('1.5')", "text of an integer"),
        ("to_bool('perhaps')", "to_bool takes"),
        ("to_bool(2)", "to_bool takes"),
        ("string(b'\\xff')", "not UTF-8"),
        ("first([])", "the list is empty"),
        ("sum(['a'])", "numbers or durations"),
        ("sum([1, 'a'])", "numbers or durations"),
        ("sum([9223372036854775807, 1])", "64 bit"),
        ("min([1, 'a'])", "cannot be put in order"),
        ("sort([null])", "cannot be put in order"),
        ("sort([[1], [2]])", "cannot be put in order"),
        ("group_by([{'a': [1]}], 'a')", "plain value"),
        ("group_by([{'a': 1}], 'b')", "there is no 'b'"),
        ("timestamp('yesterday')", "no timestamp"),
        ("timestamp('2026-02-30T00:00:00Z')", "does not exist"),
        ("date('2026-13-01')", "does not exist"),
        ("date('2026-01-01', '../../etc/passwd')", "time zone is unknown"),
        ("duration('1 day')", "no duration"),
        ("duration('P1Y')", "no duration"),
        ("days(1e300)", "out of range"),
        ("format_date(timestamp(0), '%999999999d')", "the pattern"),
        ("semver('1', '^1')", "no semantic version"),
        ("semver('1.0.0', 'latest-ish!')", "no version range"),
        ("semver('1.0.0', '')", "no version range"),
    ],
)
def test_misuse_is_explained(source: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        evaluate(source, {})
    assert reason in refused.value.message


@pytest.mark.parametrize("text", ["a b", "$(reboot)", "it's", "`x`", "a\nb", "", "-rf", '"', "\\"])
def test_shell_quote_gives_one_word(text: str) -> None:
    quoted = evaluate("shell_quote(t)", {"t": text})
    assert shlex.split(quoted) == [text]
    # Nothing else than a shell can prove it.
    shown = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {quoted}"], capture_output=True, check=True
    )
    assert shown.stdout.decode() == text


@pytest.mark.parametrize(
    ("version", "range_", "inside"),
    [
        ("1.2.3", "1.2.3", True),
        ("1.2.4", "1.2.3", False),
        ("1.9.0", "^1.2", True),
        ("2.0.0", "^1.2", False),
        ("0.2.9", "^0.2.3", True),
        ("0.3.0", "^0.2.3", False),
        ("1.2.9", "~1.2.3", True),
        ("1.3.0", "~1.2.3", False),
        ("1.4.0", ">=1.2 <2", True),
        ("1.4.0", ">=1.2,<2", True),
        ("1.4.0", ">= 1.2, < 2", True),
        ("2.0.0", ">=1.2,<2", False),
        ("1.7.1", "1.x", True),
        ("1.7.1", "1.7.*", True),
        ("2.0.0", "1.x", False),
        ("2.3.4", "1.2.3 - 2.3.4", True),
        ("2.3.5", "1.2.3 - 2.3.4", False),
        ("3.1.0", "1.x || >=3", True),
        ("1.0.0", "[1.0,2.0)", True),
        ("2.0.0", "[1.0,2.0)", False),
        ("2.0.0", "(1.0,2.0]", True),
        ("2.0.1", "(1.0,2.0]", False),
        ("1.0.0", "(1.0,2.0]", False),
        ("0.1.0", "(,1.0]", True),
        ("9.0.0", "[1.0,)", True),
        ("5.0.0", "*", True),
        ("1.3.0-beta.1", "^1.2", False),
        ("1.3.0-beta.2", ">=1.3.0-beta.1", True),
        ("v1.2.3", "1.2.3", True),
    ],
)
def test_semver(version: str, range_: str, inside: bool) -> None:  # noqa: FBT001 - a case
    assert evaluate("semver(v, r)", {"v": version, "r": range_}) is inside


def test_lists_of_maps_are_sorted_and_grouped_by_a_member() -> None:
    rows = [{"t": "b", "n": 2}, {"t": "a", "n": 1}, {"t": "b", "n": 0}]
    scope = {"rows": rows}
    assert [row["n"] for row in evaluate("sort(rows, 'n')", scope)] == [0, 1, 2]
    assert evaluate("sort(rows, 't').map(r, r.n)", scope) == [1, 2, 0]
    assert evaluate("group_by(rows, 't')", scope) == {"b": [rows[0], rows[2]], "a": [rows[1]]}


def test_distinct_keeps_the_first_and_knows_json_equality() -> None:
    scope = {"xs": [1, True, 1.0, "1", None, [1], [1.0], [True], {"a": 1}, {"a": 1.0}, 0, False]}
    kept = [1, True, "1", None, [1], [True], {"a": 1}, 0, False]
    assert [repr(each) for each in evaluate("distinct(xs)", scope)] == [repr(each) for each in kept]
