"""Every expression parses, alone or inside a template, and calls known functions only."""

from collections.abc import Iterator

from workflows import expressions
from workflows.compiler.draft import Draft, Field
from workflows.errors import ExpressionError, Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each expression that is refused, at the field that holds it."""
    for field in draft.fields("cel", "condition"):
        yield from _bare(draft, field)
    for field in draft.fields("template"):
        for inside, error in expressions.check_template(field.value).problems:
            yield _problem(draft, error, of=field, inside=inside)


def _bare(draft: Draft, field: Field) -> Iterator[Problem]:
    if not field.value.strip():
        if field.mark.is_a == "cel":
            message = "an expression must not be blank"
            yield draft.field_problem("expression_invalid", message, of=field)
        return  # a blank condition is never true
    try:
        expressions.check(field.value)
    except ExpressionError as error:
        yield _problem(draft, error, of=field)


def _problem(draft: Draft, error: ExpressionError, *, of: Field, inside: str = "") -> Problem:
    return draft.field_problem("expression_invalid", error.message, of=of, inside=inside)
