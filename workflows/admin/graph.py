"""The graph of a run with what happened at each node: boxes and arrows for the template."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workflows.admin.layout import HEIGHT, WIDTH, Arrow, Drawing, Line, draw
from workflows.compiler.plan import Plan, PlanNode
from workflows.models import Run
from workflows.selectors.states import NodeCounts, node_counts, taken_edges
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
    drawing = draw(plan.start, list(_arrows(plan)))
    counts, taken = node_counts(run), taken_edges(run)
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
