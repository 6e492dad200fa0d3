"""A `compensate` node has something to compensate."""

from collections.abc import Iterator

from workflows.compiler.draft import COMPENSATE, Draft, can_be_undone
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each named node that cannot be undone, a warning if there is none."""
    undoable = {node.name for node in draft.nodes if can_be_undone(node)}
    for node in draft.nodes:
        if not node.is_a(COMPENSATE) or node.config is None:
            continue
        named = getattr(node.config, "nodes", None)
        if named is None and not undoable and all(each.is_sound for each in draft.nodes):
            message = f"node {node.id!r}: no node of this workflow has a `compensate`"
            yield draft.node_problem(
                "nothing_to_compensate", message, node=node, severity="warning"
            )
        for index, name in enumerate(named or ()):
            other = draft.by_name.get(name)
            if other is not None and other.is_sound and name not in undoable:
                hint = draft.nearest.suggest("undoable", name, undoable)
                message = f"node {node.id!r}: {name!r} has no `compensate`{hint}"
                yield draft.node_problem(
                    "not_compensable", message, node=node, at=f"/nodes/{index}"
                )
