"""Tells which nodes are the body of a loop or a lock.

A thread is inside from the body's first node until it is back at the node, or somewhere that can
also be reached after it: there it has left, as by a `break`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from workflows.compiler.graph import Edge, Graph


def find_bodies(graph: Graph) -> Mapping[str, frozenset[str]]:
    """Return for each node with a body the ids of the nodes that are in it only."""
    found: dict[str, frozenset[str]] = {}
    for name, node in graph.nodes.items():
        if any(edge.is_body for edge in node.edges):
            inside = _spread(name, (edge for edge in node.edges if edge.is_body), graph)
            after = _spread(name, (edge for edge in node.edges if not edge.is_body), graph)
            found[name] = frozenset(inside - after)
    return found


def without_ways_back(graph: Graph, bodies: Mapping[str, frozenset[str]]) -> Graph:
    """Return the graph without the edges from a body to its node: there a thread goes on."""
    nodes = dict(graph.nodes)
    for name, body in bodies.items():
        for member in (*body, name):
            edges = nodes[member].edges
            kept = tuple(
                edge
                for edge in edges
                if edge.target != name or (member == name and not edge.is_body)
            )
            nodes[member] = replace(nodes[member], edges=kept)
    return replace(graph, nodes=nodes)


def _spread(start: str, edges: Iterable[Edge], graph: Graph) -> set[str]:
    """Return the nodes that these edges lead to without passing `start`."""
    seen = {edge.target for edge in edges} - {start}
    front = list(seen)
    while front:
        for target in graph.targets(front.pop()):
            if target not in seen and target != start:
                seen.add(target)
                front.append(target)
    return seen
