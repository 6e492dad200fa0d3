"""Tells which nodes are the body of a loop or a lock.

A thread is inside from the body's first node until it is back at the node, or somewhere that can
also be reached after it, or past it for good: there it has left, as by a `break`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from workflows.compiler.graph import Graph


def find_bodies(graph: Graph) -> Mapping[str, frozenset[str]]:
    """Return for each node with a body the ids of the nodes that are in it only."""
    found: dict[str, frozenset[str]] = {}
    for name, node in graph.nodes.items():
        if any(edge.is_body for edge in node.edges):
            past = _spread(name, graph.starts, graph)
            joins = {each for each in past if graph.nodes[each].is_join}
            first = [edge.target for edge in node.edges if edge.is_body]
            inside = _spread(name, first, graph, but=joins)
            after = _spread(name, (edge.target for edge in node.edges if not edge.is_body), graph)
            found[name] = frozenset(inside - after - _exits(name, inside & past, graph))
    return found


def _exits(name: str, shared: set[str], graph: Graph) -> set[str]:
    """Return those of the nodes from which no thread comes back to `name`.

    Neither by an edge nor by a way that leads nowhere. They can be reached past the body as well.
    """
    exits = shared - {
        each for each in shared if graph.nodes[each].is_open or name in graph.targets(each)
    }
    while back := {each for each in exits if (shared - exits).intersection(graph.targets(each))}:
        exits -= back
    return exits


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


def _spread(start: str, firsts: Iterable[str], graph: Graph, but: Collection[str] = ()) -> set[str]:
    """Return the nodes that these lead to, and themselves, without passing `start` or `but`."""
    seen = {first for first in firsts if first != start and first not in but}
    front = list(seen)
    while front:
        for target in graph.targets(front.pop()):
            if target not in seen and target != start and target not in but:
                seen.add(target)
                front.append(target)
    return seen
