"""Every function of the expression language, with its examples."""

import json
from datetime import datetime, timedelta
from typing import Any

from workflows.expressions import Function, limits
from workflows.expressions.functions import THEMES
from workflows.management.reference import markdown

_ABOUT = (
    "Conditions and values are CEL. Other texts are templates: `${ cel }` alone becomes the typed "
    "value, `${ cel }` inside a text is filled in. In scope are the keys of the context, `run` "
    "(`id`, `workflow`, `version`, `key`, `depth`, `started_at`, `parent`) and `now`; in a filter "
    "also `event`. `lower(x)` and `x.lower()` are the same call."
)
_LIMITS = (
    ("characters of an expression", limits.MAX_SOURCE),
    ("words, numbers, texts and signs", limits.MAX_TOKENS),
    ("brackets inside each other", limits.MAX_BRACKETS),
    ("the same of the different expressions of a node together", limits.MAX_NODE_TOKENS),
    ("the same of those of a workflow together", limits.MAX_DEFINITION_TOKENS),
    ("steps of all evaluations of one call of a node", limits.MAX_UNITS),
    ("seconds of processor time that such a call may take", limits.MAX_SECONDS),
    ("characters of a text that is built", limits.MAX_TEXT),
    ("elements of a list or object that is built", limits.MAX_ITEMS),
    ("levels of a result", limits.MAX_DEPTH),
)


def page() -> str:
    """Return the page."""
    parts = [_ABOUT, "## Limits", markdown.table(("limit", "value"), _LIMITS)]
    for theme, functions in THEMES.items():
        parts.append(f"## {theme}")
        parts += [_function(function) for function in functions.values()]
    return markdown.page("Expressions", *parts)


def _function(function: Function) -> str:
    lines = [f"{source}  // {_shown(result)}" for source, result in function.examples]
    example = "\n".join(["```cel", *lines, "```"]) if lines else ""
    return f"### `{function.signature}`\n\n{function.doc}\n\n{example}"


def _shown(result: Any) -> str:
    if isinstance(result, datetime):
        return f"timestamp {result.isoformat()}"
    if isinstance(result, timedelta):
        return f"duration of {result.total_seconds():g} s"
    return json.dumps(result, ensure_ascii=False, default=str)
