"""The graph of a run with what happened at each node: boxes and arrows for the template."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.admin.layout import HEIGHT, WIDTH, Arrow, Drawing, Line, draw
from workflows.compiler.plan import Plan, PlanNode
from workflows.models import Run
from workflows.selectors.states import Edge, NodeCounts, node_counts, taken_edges
from workflows.selectors.waits import plan_of

#: Beyond this a drawing helps nobody, and it would take the page long.
MOST_NODES = 200
_LONGEST_LABEL = 22


@dataclass(frozen=True, slots=True)
class Box:
    """One node: where it is drawn, what it is called, and how it stands."""

    id: str
    x: float
    y: float
    name: str
    kind: str
    state: str
    note: str
    hint: str


@dataclass(frozen=True, slots=True)
class Graph:
    """All that the template draws; sizes in pixels."""

    boxes: list[Box]
    lines: list[tuple[Line, bool]]  # and whether a thread has gone along it
    width: float
    height: float
    box_width: int = WIDTH
    box_height: int = HEIGHT


def graph_of(run: Run) -> Graph | None:
    """Return the drawing of a run's workflow, or None when it cannot be drawn."""
    plan = plan_of(run)
    if plan is None or len(plan.nodes) > MOST_NODES:
        return None
    back = ways_back(plan)
    drawing = draw(plan.start, [*_arrows(plan), *((*way, "") for way in back)])
    counts, taken = node_counts(run), taken_edges(run)
    # A thread that is over has no step at the split that it came from.
    taken |= {way for way in back if plan.nodes[way[1]].kind.is_split and _is_done(way[0], counts)}
    boxes = [_box(plan.nodes[name], drawing, counts.get(name)) for name in drawing.boxes]
    lines = [(line, (line.source, line.target) in taken) for line in drawing.lines]
    lines.sort(key=lambda each: each[1])  # the taken ones are drawn on top
    return Graph(boxes, lines, drawing.width, drawing.height)


def _arrows(plan: Plan) -> Iterator[Arrow]:
    """Yield one arrow for all ports of a node that lead to the same node.

    The history keeps where a thread came from, not the port: which of them it took is not claimed.
    """
    for node in plan.nodes.values():
        together: dict[str, list[str]] = {}
        for port, target in node.ports.items():
            together.setdefault(target, []).append(port.rpartition(":")[2])
        for target, ports in together.items():
            yield node.id, target, "" if ports == ["next"] else " / ".join(ports)


def ways_back(plan: Plan) -> list[Edge]:
    """Return which nodes lead back to the one whose body, item or branch ends there.

    They have no `next`: what follows is the innermost loop, lock, map, batch or race around them.
    """
    inside = {node.id: members for node in plan.nodes.values() if (members := _members(node, plan))}
    found = []
    for node in plan.nodes.values():
        around = [each for each, members in inside.items() if node.id in members]
        if around and _is_open(node):
            found.append((node.id, min(around, key=lambda each: len(inside[each]))))
    return found


def _is_open(node: PlanNode) -> bool:
    """Tell whether a thread goes on from a node, and nowhere leads it."""
    is_fan_out = node.kind.is_split and not _is_own_join(node)
    return not is_fan_out and "next" in node.kind.ports(node.config) and "next" not in node.ports


def _is_own_join(node: PlanNode) -> bool:
    return node.kind.is_split and "merge" in node.kind.Config.model_fields


def _members(node: PlanNode, plan: Plan) -> frozenset[str]:
    """Return the nodes that are in the body of a loop or lock, or in the parts of a split."""
    if node.body or not _is_own_join(node):
        return node.body
    parts = set(node.kind.part_ports(node.config))
    first = [target for port, target in node.ports.items() if port in parts]
    after = [target for port, target in node.ports.items() if port not in parts]
    return frozenset(_spread(first, plan, but=node.id) - _spread(after, plan, but=node.id))


def _spread(first: list[str], plan: Plan, *, but: str) -> set[str]:
    seen: set[str] = set()
    front = list(first)
    while front:
        name = front.pop()
        if name not in seen and name != but:
            seen.add(name)
            front += plan.nodes[name].ports.values()
    return seen


def _is_done(node: str, counts: Mapping[str, NodeCounts]) -> bool:
    return node in counts and counts[node].done > 0


def _box(node: PlanNode, drawing: Drawing, counts: NodeCounts | None) -> Box:
    x, y = drawing.boxes[node.id]
    counts = counts or NodeCounts()
    title = node.config.title or ""
    return Box(
        id=node.id,
        x=x,
        y=y,
        name=_clipped(node.id),
        kind=node.kind.name,
        state=counts.state,
        note=_note(counts),
        hint=f"{node.id}: {title}" if title else node.id,
    )


def _note(counts: NodeCounts) -> str:
    """Return what stands in the corner of a box: only what one would not expect."""
    parts: list[Any] = []
    if counts.moving:
        parts.append(f"{counts.moving} moving")
    if counts.waiting:
        parts.append(f"{counts.waiting} waiting")
    if counts.done > 1:
        parts.append(f"{counts.done} times")
    if counts.failed:
        parts.append(f"{counts.failed} failed")
    if counts.cancelled:
        parts.append(f"{counts.cancelled} cancelled")
    return " · ".join(parts)


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"
