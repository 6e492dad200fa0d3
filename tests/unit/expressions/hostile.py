"""Evaluates hostile expressions; run as a program it prints what became of each.

The tests give the program a time that one unguarded expression of these would use up alone.
"""

import json
import resource
import sys
from datetime import UTC, datetime
from typing import Any

from workflows.errors import ExpressionError
from workflows.expressions import check, check_template, evaluate

TEN = "[" + ",".join("1" * 10) + "]"


def _nested(levels: int) -> str:
    source = "true"
    for level in range(levels):
        source = f"{TEN}.all(a{level},{source})"
    return source


SOURCES: dict[str, str] = {
    "lexer, double quote": '"' + r"\a" * 24,
    "lexer, many": '"' + r"\a" * 2000,
    "lexer, hex escapes": "'" + r"\x41" * 26,
    "lexer, raw": 'r"' + r"\a" * 26,
    "lexer, triple": '"""' + r"\a" * 26,
    "lexer, raw that ends in a backslash": r'r"\" + ' + "'" + r"\a" * 40 + "'",
    "lexer, quotes only": '"' * 4095,
    "nested macros, 5": _nested(5),
    "nested macros, 10": _nested(10),
    "three loops over the data": "xs.all(i, xs.all(j, xs.all(k, true)))",
    "text doubling": "['xxxxxxxxxxxxxxxx']" + ".map(a,a+a+a+a+a+a+a+a)" * 12,
    "list doubling": "[[1,2]]" + ".map(a,a+a+a+a+a+a+a+a)" * 12,
    "sharing": "[[1,2]]" + ".map(a,[a,a,a,a])" * 30,
    "comparing what is shared": "[[1,2]].map(a,[a,a])" + ".map(a,[a,a])" * 25 + " == [1]",
    "100 parentheses": "(" * 100 + "1" + ")" * 100,
    "300 additions": "1" + "+1" * 300,
    "2000 additions": "1" + "+1" * 2000,
    "200 lists": "[" * 200 + "]" * 200,
    "1000 members": "a" + ".b" * 1000,
    "4000 nots": "!" * 4000 + "true",
    "2000 minuses": "- " * 2000 + "1",
    "choices": "true" + "?true:false" * 360,
    "a huge integer": "9" * 4000,
    "a huge fraction": "1e" + "9" * 4000,
    "a huge hexadecimal": "0x" + "f" * 4000,
    "a huge integer in text": "to_int('" + "9" * 4000 + "')",
    "evil pattern": "matches(big, '(a+)+$')",
    "evil pattern on a short text": "matches('" + "a" * 500 + "b', '^(a+)+$')",
    "evil pattern, slow in RE2": "matches(big, '(.*)(.*)(.*)(.*)(.*)[a-z]{1000}')",
    "evil pattern, too large": "matches('a', '(((a{1000}){1000}){1000})')",
    "many patterns": "xs.map(i, matches('a', 'b' + string(i)))",
    "replace": "big.replace('x', '" + "y" * 3000 + "')",
    "split": "big.split('x')",
    "join": "xs.map(i, big).join('')",
    "sort long texts": "xs.map(i, big).sort()",
    "hash long texts": "xs.map(i, sha256(big))",
    "lower long texts": "xs.map(i, lower(big))",
    "quote long texts": "xs.map(i, html_escape(big))",
    "compare deep": "xs.all(i, rows == rows)",
    "distinct deep": "xs.map(i, rows).distinct()",
    "flatten": "xs.map(i, rows).flatten()",
    "group": "xs.map(i, rows.group_by('price'))",
    "text of everything": "xs.map(i, to_string(rows))",
    "a result that is too large": "xs.map(i, rows)",
    "search": "xs.map(i, -1 in xs)",
    "sum": "xs.map(i, sum(xs))",
    "time zones": "xs.all(i, now.getHours('Zone/' + string(i)) > 0 || true)",
    "versions": "xs.map(i, semver('1.0.' + string(i), '>=1.0.' + string(i)))",
    "long version": "semver('" + "1." * 2000 + "', '1')",
    "long duration": "duration('" + "1h" * 1000 + "')",
    "format": "format_date(now, '%999999999d')",
    "square of rows": "rows.map(o, rows.map(p, o.name + p.name))",
    "faults that are swallowed": "xs.exists(i, xs.exists(j, i.a.b > 0))",
    "defaults that are swallowed": "xs.all(i, xs.all(j, default(i.a, true)))",
}

TEMPLATES: dict[str, str] = {
    "open": "${" * 2000,
    "open texts": "${'" * 1000,
    "many": "${a}" * 20_000,
    "dollars": "$" * 100_000 + "{",
    "brackets": "${" + "{" * 4000,
}


def scope() -> dict[str, Any]:
    """Return the data that the expressions work on: of an honest size."""
    return {
        "xs": list(range(10_000)),
        "rows": [{"price": n % 50, "name": f"n{n}", "tags": ["a", "b"]} for n in range(10_000)],
        "big": "x" * 1_000_000,
        "now": datetime(2026, 11, 20, tzinfo=UTC),
    }


def outcome(source: str, data: dict[str, Any]) -> str:
    """Return the name of the error of ours that came of it, or `value`."""
    try:
        check(source)
        evaluate(source, data)
    except ExpressionError as error:
        return type(error).__name__
    return "value"


def main() -> None:
    """Print the outcomes as JSON; memory is capped so that doubling cannot hide in swap."""
    resource.setrlimit(resource.RLIMIT_AS, (2 * 1024**3, 2 * 1024**3))
    data = scope()
    made = {name: outcome(source, data) for name, source in SOURCES.items()}
    for name, template in TEMPLATES.items():
        made[f"template: {name}"] = f"{len(check_template(template).problems)} problems"
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
