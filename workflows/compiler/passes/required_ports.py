"""Ports that must lead somewhere do."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.compiler.reading import declared_ports
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each required port that is left open."""
    for node in draft.nodes:
        # In a node with wrong fields the port may be open because of them.
        if not node.is_sound or node.kind is None:
            continue
        ports = declared_ports(node)
        for port in node.kind.required_ports(node.config):
            if not ports.get(port):
                message = f"node {node.id!r}: the port {port!r} must lead to a node"
                yield draft.node_problem("port_open", message, node=node)
