"""Tells which join closes which split.

A thread carries the splits that it is inside of. Walking the graph from the start with that stack
gives, for each join, the stacks that arrive there; the join closes the outermost split of theirs
that it is the common continuation of, and with it all splits inside of that one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from workflows.compiler.graph import Edge, Graph, GraphNode

#: A node that can be reached inside of more nestings than this is refused: no person could follow.
MAX_WAYS = 32


@dataclass(frozen=True, eq=False, slots=True)
class Stack:
    """The open splits of a thread: the innermost one, and those around it."""

    split: GraphNode
    outer: "Stack | None"

    def __iter__(self) -> Iterator["Stack"]:
        """Yield the stack from the innermost split outwards, one level at a time."""
        level: Stack | None = self
        while level is not None:
            yield level
            level = level.outer


@dataclass(frozen=True, slots=True)
class Fault:
    """Why splits and joins do not fit, and the node to blame."""

    node: str
    message: str


@dataclass(slots=True)
class Matching:
    """`closes`: join -> its split; `joins`: split -> the join that closes it.

    `around`: node -> every split that a thread which gets there may be inside of.
    """

    closes: dict[str, str] = field(default_factory=dict)
    joins: dict[str, str] = field(default_factory=dict)
    around: dict[str, set[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def match_joins(graph: Graph) -> Matching:
    """Match the joins of a whole graph with its splits; never raises, whatever the graph."""
    flow = _Flow(graph)
    flow.run()
    return flow.finish()


class _Flow:
    """The walk: which stacks have arrived where, and what the joins were found to close."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.order = graph.order()
        self.reach = graph.reach()
        self.joins = [name for name, node in graph.nodes.items() if node.is_join]
        self.before = _predecessors(graph)
        self.arrived: dict[str, dict[Stack | None, None]] = {}
        self.passed: dict[str, set[Stack | None]] = {}
        self.closes: dict[str, Stack] = {}
        self.crowded: dict[str, None] = {}
        self.stacks: dict[tuple[str, Stack | None], Stack] = {}
        self.queue: list[tuple[int, str]] = []

    def run(self) -> None:
        for start in self.graph.starts:
            self._arrive(start, None)
        # In this order a join is looked at when all that comes before it has arrived; only what
        # comes back in a cycle is later, and `finish` looks at that.
        while self.queue:
            name = heappop(self.queue)[1]
            passed = self.passed.setdefault(name, set())
            new = [stack for stack in self.arrived[name] if stack not in passed]
            passed.update(new)
            if new:
                self._leave(self.graph.nodes[name], self._behind(name, new))

    def finish(self) -> Matching:
        """Check every join against all that arrived, and put the answer together."""
        result = Matching()
        for name, stacks in self.arrived.items():
            levels = (level for stack in stacks for level in stack or ())
            result.around[name] = {level.split.id for level in levels}
        for name in self.joins:
            if name in self.arrived:
                self._finish_join(name, list(self.arrived[name]), result)
        for name in self.crowded:
            message = f"{name!r} can be reached inside of more than {MAX_WAYS} nestings of splits"
            result.faults.append(Fault(name, f"{message}; join them before it"))
        return result

    def _arrive(self, name: str, stack: Stack | None) -> None:
        here = self.arrived.setdefault(name, {})
        if stack in here:
            return
        if len(here) >= MAX_WAYS:
            self.crowded[name] = None
            return
        here[stack] = None
        heappush(self.queue, (self.order[name], name))

    def _leave(self, node: GraphNode, stacks: Iterable[Stack | None]) -> None:
        for edge in _living_edges(node):
            for stack in stacks:
                inside = self._push(node, stack) if edge.is_part else stack
                self._arrive(edge.target, inside)

    def _push(self, split: GraphNode, stack: Stack | None) -> Stack:
        # A split that is open already was come back to from inside: the nesting is the same again.
        for level in stack or ():
            if level.split is split:
                return level
        return self.stacks.setdefault((split.id, stack), Stack(split, stack))

    def _behind(self, name: str, new: list[Stack | None]) -> list[Stack | None]:
        if not self.graph.nodes[name].is_join:
            return new
        if name not in self.closes:
            shared = _shared(list(self.arrived[name]))
            if not shared:
                return new
            self.closes[name] = self._choose(name, shared)
        return [self.closes[name].outer]

    def _choose(self, name: str, shared: list[Stack]) -> Stack:
        """Return the outermost of these splits that the join continues, else the innermost."""
        bypass = self._bypass(name)
        bit = 1 << self.graph.index[name]
        for level in reversed(shared):
            starts = [edge.target for edge in level.split.edges if edge.is_part]
            arriving = sum(start == name or bool(self.reach[start] & bit) for start in starts)
            if arriving > 1 and not any(start in bypass for start in starts):
                return level
        return shared[0]

    def _bypass(self, name: str) -> set[str]:
        """Return the nodes from which a thread can get past this join to one behind it."""
        behind = self.reach[name]
        seen = {
            join for join in self.joins if join != name and behind >> self.graph.index[join] & 1
        }
        front = list(seen)
        while front:
            for before in self.before[front.pop()]:
                if before not in seen and before != name:
                    seen.add(before)
                    front.append(before)
        return seen

    def _finish_join(self, name: str, arrived: list[Stack | None], result: Matching) -> None:
        closed = self.closes.get(name)
        if closed is None:
            result.faults.append(Fault(name, _closes_nothing(name, arrived)))
            return
        result.closes[name] = closed.split.id
        for stack in arrived:
            inside = _candidates(stack)
            if closed not in inside:
                result.faults.append(Fault(name, _stranger(name, closed, stack)))
                return
            for level in inside[: inside.index(closed) + 1]:
                _close(level.split.id, name, result)


def _close(split: str, join: str, result: Matching) -> None:
    other = result.joins.setdefault(split, join)
    if other != join:
        fault = Fault(
            split,
            f"the branches of {split!r} arrive at different joins, {other!r} and {join!r}; "
            "let all of them arrive at one",
        )
        if fault not in result.faults:
            result.faults.append(fault)


def _candidates(stack: Stack | None) -> list[Stack]:
    """Return the levels that a join may close, innermost first: none beyond a batch or map."""
    found: list[Stack] = []
    for level in stack or ():
        if level.split.merges_itself:
            break
        found.append(level)
    return found


def _shared(arrived: list[Stack | None]) -> list[Stack]:
    """Return the levels that all of these stacks have in common, innermost first."""
    shared = _candidates(arrived[0])
    for stack in arrived[1:]:
        if not shared:
            break
        other = set(_candidates(stack))
        shared = [level for level in shared if level in other]
    return shared


def _living_edges(node: GraphNode) -> list[Edge]:
    """Leave out the `next` of a fan-out that has branches: it is for one that has none."""
    is_dead = node.is_split and not node.merges_itself and any(edge.is_part for edge in node.edges)
    return [edge for edge in node.edges if not (is_dead and edge.port == "next")]


def _closes_nothing(name: str, arrived: list[Stack | None]) -> str:
    inside = [stack.split for stack in arrived if stack is not None]
    around = {split.id: split for split in sorted(inside, key=lambda split: split.id)}
    if not around:
        return f"{name!r} closes no split: no fan-out leads to it"
    if all(split.merges_itself for split in around.values()) and None not in arrived:
        names = ", ".join(map(repr, around))
        return f"{name!r} closes no split: {names} merges its own parts and needs no join"
    if None in arrived:
        names = ", ".join(map(repr, around))
        return f"{name!r} is reached both from inside of {names} and from outside of any split"
    names = " and ".join(map(repr, around))
    if len(around) == 1:
        return f"{name!r} closes no split: different splits stand around {names}, which leads to it"
    return f"{name!r} closes no split: it is reached from {names}, and neither is around the other"


def _stranger(name: str, closed: Stack, stack: Stack | None) -> str:
    origin = f"inside of {stack.split.id!r}" if stack is not None else "outside of any split"
    return (
        f"{name!r} closes {closed.split.id!r}, but is also reached from {origin}, "
        f"by a thread that is not one of its branches"
    )


def _predecessors(graph: Graph) -> dict[str, list[str]]:
    before: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for name in graph.nodes:
        for target in graph.targets(name):
            before[target].append(name)
    return before
