"""Every join closes a split, and the branches of a split arrive at one join."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield what the matching of joins with splits found."""
    # What stands behind a node of unknown kind may be inside of a split after all.
    if any(node.guess is None for node in draft.nodes):
        return
    for fault in draft.matching.faults:
        owner = draft.graph.nodes[fault.node].made_for or fault.node
        node = draft.by_name.get(owner)
        if node is not None:
            yield draft.node_problem("join_mismatch", fault.message, node=node)
