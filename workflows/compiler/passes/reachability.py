"""Every node can be reached from the start."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each node that no way from the start leads to."""
    if not draft.graph.starts:
        return  # there is nothing to come from; that is a problem of its own
    reached = draft.graph.reached()
    for node in draft.nodes:
        if node.name not in reached:
            message = f"node {node.id!r} cannot be reached from the start; no port leads to it"
            yield draft.node_problem("unreachable", message, node=node)
