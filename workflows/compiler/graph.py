"""The nodes and edges of a workflow, and questions about them; nothing here recurses."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one node to another.

    `is_part` says that a split starts a thread behind it, `is_body` that the thread comes back to
    the node from there.
    """

    port: str
    target: str
    is_part: bool = False
    is_body: bool = False


@dataclass(frozen=True, slots=True)
class GraphNode:
    """What the shape of a workflow depends on.

    `merges_itself` is a split that is its own join (batch, map): no fan-in closes it.
    `made_for` is the node whose list of `next` this node stands for.
    `is_open` tells that a thread goes on from it, and nowhere leads it.
    """

    id: str
    edges: tuple[Edge, ...] = ()
    is_split: bool = False
    is_join: bool = False
    is_bounded: bool = False
    merges_itself: bool = False
    made_for: str | None = None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """All nodes by id, in the order of the document. Edges lead to nodes that are there."""

    nodes: Mapping[str, GraphNode]
    starts: tuple[str, ...]
    #: Nodes that count as reached although no sound edge leads to them.
    assumed: tuple[str, ...] = ()
    index: Mapping[str, int] = field(default_factory=dict)

    def targets(self, node: str) -> list[str]:
        """Return the ids of the nodes right behind `node`, each once."""
        return list(dict.fromkeys(edge.target for edge in self.nodes[node].edges))

    def reached(self) -> set[str]:
        """Return the ids of the nodes that a thread can get to."""
        return _spread([*self.starts, *self.assumed], self)

    def order(self) -> dict[str, int]:
        """Return each node's place: behind all nodes before it, but for the backs of cycles."""
        finished: list[str] = []
        seen: set[str] = set()
        for root in (*self.starts, *self.nodes):
            if root not in seen:
                self._finish_from(root, seen, finished)
        return {node: place for place, node in enumerate(reversed(finished))}

    def _finish_from(self, root: str, seen: set[str], finished: list[str]) -> None:
        seen.add(root)
        calls = [(root, iter(self.targets(root)))]
        while calls:
            node, targets = calls[-1]
            ahead = next((target for target in targets if target not in seen), None)
            if ahead is None:
                finished.append(node)
                calls.pop()
            else:
                seen.add(ahead)
                calls.append((ahead, iter(self.targets(ahead))))

    def reach(self) -> dict[str, int]:
        """Return for each node the set of nodes behind it, as bits numbered by `index`."""
        found: dict[str, int] = {}
        for component in components(self.nodes, self):
            bits = 0
            for node in component:
                for target in self.targets(node):
                    bits |= 1 << self.index[target] | found.get(target, 0)
            found |= dict.fromkeys(component, bits)
        return found


def build_graph(
    nodes: Iterable[GraphNode], starts: Iterable[str], assumed: Iterable[str] = ()
) -> Graph:
    """Return the graph of these nodes; of two with one id the first counts."""
    by_id: dict[str, GraphNode] = {}
    for node in nodes:
        by_id.setdefault(node.id, node)
    index = {name: place for place, name in enumerate(by_id)}
    return Graph(by_id, tuple(starts), tuple(assumed), index)


def components(only: Collection[str], graph: Graph) -> list[list[str]]:
    """Return the strongly connected components among the nodes `only`, the last ones first."""
    search = _Search()
    for root in only:
        if root not in search.found_at:
            search.run(root, only, graph)
    return search.components


class _Search:
    """Tarjan's algorithm with its call stack in a list."""

    def __init__(self) -> None:
        self.found_at: dict[str, int] = {}
        self.low: dict[str, int] = {}
        self.open: list[str] = []
        self.is_open: set[str] = set()
        self.components: list[list[str]] = []

    def run(self, root: str, only: Collection[str], graph: Graph) -> None:
        calls = [(root, iter(self._enter(root, only, graph)))]
        while calls:
            node, targets = calls[-1]
            for target in targets:
                if target not in self.found_at:
                    calls.append((target, iter(self._enter(target, only, graph))))
                    break
                if target in self.is_open:
                    self.low[node] = min(self.low[node], self.found_at[target])
            else:
                calls.pop()
                self._leave(node)
                if calls:
                    above = calls[-1][0]
                    self.low[above] = min(self.low[above], self.low[node])

    def _enter(self, node: str, only: Collection[str], graph: Graph) -> list[str]:
        self.found_at[node] = self.low[node] = len(self.found_at)
        self.open.append(node)
        self.is_open.add(node)
        return [target for target in graph.targets(node) if target in only]

    def _leave(self, node: str) -> None:
        if self.low[node] != self.found_at[node]:
            return
        component: list[str] = []
        while not component or component[-1] != node:
            component.append(self.open.pop())
        self.is_open.difference_update(component)
        self.components.append(component[::-1])


def shortest_cycle(node: str, only: Collection[str], graph: Graph) -> list[str] | None:
    """Return the nodes of a shortest cycle from `node` through the nodes `only`, or None."""
    came_from: dict[str, str] = {}
    front = [node]
    while front:
        behind: list[str] = []
        for here in front:
            for target in graph.targets(here):
                if target == node:
                    return _walk_back(here, node, came_from)
                if target in only and target not in came_from:
                    came_from[target] = here
                    behind.append(target)
        front = behind
    return None


def _walk_back(last: str, first: str, came_from: Mapping[str, str]) -> list[str]:
    way = [last]
    while way[-1] != first:
        way.append(came_from[way[-1]])
    return way[::-1]


def _spread(roots: Iterable[str], graph: Graph) -> set[str]:
    seen = set(roots)
    front = list(seen)
    while front:
        for target in graph.targets(front.pop()):
            if target not in seen:
                seen.add(target)
                front.append(target)
    return seen
