"""A join does not wait for more branches than its split has."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each join that waits for a number that can never arrive."""
    for join, split in draft.matching.closes.items():
        node, owner = draft.by_name.get(join), draft.graph.nodes[split].made_for or split
        # Of a split with wrong fields a branch may be missing because of them.
        if node is None or owner not in draft.by_name or not draft.by_name[owner].is_sound:
            continue
        wanted = getattr(node.config, "wait_for", None)
        branches = sum(edge.is_part for edge in draft.graph.nodes[split].edges)
        if isinstance(wanted, int) and wanted > branches:
            message = (
                f"{join!r} waits for {wanted} branches, and {owner!r}, which it closes, has "
                f"{branches} that lead somewhere"
            )
            yield draft.node_problem("join_unsatisfiable", message, node=node, at="/wait_for")
