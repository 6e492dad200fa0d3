"""A cycle passes something that bounds it: a wait, a delay, a loop."""

from collections.abc import Iterator

from workflows.compiler.bodies import without_ways_back
from workflows.compiler.draft import Draft
from workflows.compiler.graph import components, shortest_cycle
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield one problem for each knot of nodes in which a thread could spin for ever."""
    graph = without_ways_back(draft.graph, draft.bodies)
    free = {name: None for name, node in graph.nodes.items() if not node.is_bounded}
    for component in components(free, graph):
        members = set(component)
        first = min(component, key=lambda name: graph.index[name])
        cycle = shortest_cycle(first, members, graph)
        if cycle is None or first not in draft.by_name:
            continue
        shown = [name for name in cycle if graph.nodes[name].made_for is None]
        way = " -> ".join([*shown, shown[0]])
        message = f"a cycle without a wait, a delay or a loop could run for ever: {way}"
        yield draft.node_problem("unbounded_cycle", message, node=draft.by_name[first])
