"""Warns of conditions that cannot be true or false."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft, Field, Use
from workflows.errors import ExpressionError, Problem
from workflows.expressions import ExpressionInfo, evaluate
from workflows.expressions.kinds import kind


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a warning for each condition that is a constant of another type.

    No more than a warning: it fails its node when it is asked, and may stand where it never is.
    """
    for use in draft.uses:
        odd = _constant(use) if _is_condition(use.field) else ""
        if odd:
            message = f"a condition gives true or false, and this one is always {odd}"
            yield draft.field_problem(
                "condition_constant", message, of=use.field, severity="warning"
            )


def _is_condition(field: Field) -> bool:
    return field.mark.is_a == "condition" or "group" in field.mark.names


def _constant(use: Use) -> str:
    """Return the type of a value that depends on nothing and is no boolean; else nothing."""
    info = use.found
    if not isinstance(info, ExpressionInfo) or info.names or info.functions:
        return ""
    try:
        value = evaluate(use.field.value, {})
    except ExpressionError:
        return ""  # also of the name of a type, which a key of the context may hide
    return "" if isinstance(value, bool) else f"of type {kind(value)}"
