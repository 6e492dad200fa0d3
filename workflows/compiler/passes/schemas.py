"""Every JSON Schema is one, and none of its keywords is misspelt."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from workflows.compiler.draft import Draft, Field
from workflows.definition.schema_check import KEYWORDS, check_schema, unknown_keywords
from workflows.errors import Problem

#: A name this near to a keyword is meant to be it, and nothing would be checked by it.
_MISSPELT = 0.8


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each thing in a schema that is refused or that checks nothing."""
    for field in draft.fields("schema"):
        for inside, message in check_schema(field.value):
            yield draft.field_problem("schema_invalid", message, of=field, inside=inside)
        for inside, name in unknown_keywords(field.value):
            yield _unknown(draft, field, inside, name)


def _unknown(draft: Draft, field: Field, inside: str, name: str) -> Problem:
    near = draft.nearest.find("keyword", name, KEYWORDS)
    is_typo = near is not None and SequenceMatcher(None, near, name).ratio() >= _MISSPELT
    hint = f" (did you mean {near!r}?)" if near is not None else ""
    message = f"{name!r} is no keyword of JSON Schema: nothing is checked by it{hint}"
    severity = "error" if is_typo else "warning"
    return draft.field_problem(
        "unknown_keyword", message, of=field, inside=inside, severity=severity
    )
