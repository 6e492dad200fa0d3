"""Nothing that this installation does not allow."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each node that the settings refuse."""
    if draft.refused is None:
        return
    for node in draft.nodes:
        if not node.is_sound or node.config is None:
            continue
        for at, message in draft.refused(node.config):
            text = f"node {node.id!r}: {message}"
            yield draft.node_problem("not_allowed", text, node=node, at=at)
