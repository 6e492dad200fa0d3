"""What only the kind itself can tell about its fields."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield what the kind of each node says about its config."""
    for node in draft.nodes:
        # With fields left out the kind would complain of what is said already.
        if not node.is_sound or node.kind is None:
            continue
        for at, message in node.kind.check(node.config):
            text = f"node {node.id!r}: {message}"
            yield draft.node_problem("config_invalid", text, node=node, at=at)
