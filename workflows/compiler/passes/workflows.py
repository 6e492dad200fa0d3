"""Every workflow that a node starts is there."""

from collections.abc import Iterator, Mapping

from workflows.compiler.draft import Draft, Field
from workflows.errors import Problem, suggest


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each workflow or version that nobody has published."""
    if draft.workflows is None:
        return
    own = draft.definition.workflow if draft.definition is not None else None
    for field in draft.fields("workflow"):
        if field.value == own:
            continue
        message = _fault(draft.workflows, field)
        if message is not None:
            yield draft.field_problem("unknown_workflow", message, of=field)


def _fault(known: Mapping[str, int], field: Field) -> str | None:
    if field.value not in known:
        hint = suggest(field.value, set(known)) or "; publish it first, or both together"
        return f"unknown workflow {field.value!r}{hint}"
    number, newest = getattr(field.node and field.node.config, "version", None), known[field.value]
    if number is not None and number > newest:
        return f"workflow {field.value!r} has no version {number}; the newest is {newest}"
    return None
