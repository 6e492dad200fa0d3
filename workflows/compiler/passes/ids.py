"""Every id is used once."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each node whose id another node before it has."""
    for node in draft.nodes:
        if node.id is None or node.id == node.name:
            continue
        first = draft.by_name[node.id]
        place = draft.document.locate(f"{first.pointer}/id")
        where = f" in line {place[0]}" if place else f" at {first.pointer}"
        message = f"the id {node.id!r} is taken by another node{where}"
        yield draft.problem("duplicate_id", message, at=f"{node.pointer}/id")
