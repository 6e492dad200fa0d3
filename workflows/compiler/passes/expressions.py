"""Every expression parses, alone or inside a template, and calls known functions only."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import ExpressionError, Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each expression that is refused, at the field that holds it."""
    for use in draft.uses:
        if isinstance(use.found, ExpressionError):
            hint = "" if use.field.mark.is_a == "template" else use.field.hint
            message = use.found.message + hint
            yield draft.field_problem(
                "expression_invalid", message, of=use.field, inside=use.inside
            )
