"""Warns of a switch that asks the same twice: the second choice can never win."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a warning for each condition that stands in the same list of a node before."""
    seen: dict[tuple[str, str, str], str] = {}
    for field in draft.fields("condition"):
        before, _, last = field.pointer.rpartition("/")
        in_list, _, index = before.rpartition("/")
        if field.node is None or not index.isdigit() or not field.value.strip():
            continue
        asked = (field.node.name, f"{in_list}/*/{last}", field.value.strip())
        first = seen.setdefault(asked, field.pointer)
        if first != field.pointer:
            message = f"the condition stands at {first} too, so this one can never win"
            yield draft.field_problem("repeated_condition", message, of=field, severity="warning")
