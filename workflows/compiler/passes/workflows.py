"""Every workflow that a node starts is there."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem, suggest


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each workflow or version that nobody has published."""
    if draft.workflows is None:
        return
    own = draft.definition.workflow if draft.definition is not None else None
    known = {*draft.workflows, *([own] if own else [])}
    for field in draft.fields("workflow"):
        if field.value not in known:
            hint = suggest(field.value, known) or "; publish it first, or both together"
            message = f"unknown workflow {field.value!r}{hint}"
            yield draft.field_problem("unknown_workflow", message, of=field)
            continue
        number = getattr(field.node and field.node.config, "version", None)
        newest = draft.workflows.get(field.value, 0)
        if number is not None and number > newest:
            message = f"workflow {field.value!r} has no version {number}; the newest is {newest}"
            yield draft.field_problem("unknown_workflow", message, of=field)
