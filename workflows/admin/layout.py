"""Draws a graph in layers, top to bottom: pure arithmetic, no JavaScript, no other library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Arrow = tuple[str, str, str]  # from, to, label

WIDTH, HEIGHT = 156, 46  # of a box, in pixels
GAP_X, GAP_Y = 22, 42
_SWEEPS = 8
_BEND = "\0"  # in the name of a bend, and of no node
_MARGIN = 16


@dataclass(frozen=True, slots=True)
class Line:
    """An arrow as an SVG path, with the place of its label."""

    source: str
    target: str
    label: str
    path: str
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Top left corners of the boxes, the arrows between them, and the size of it all."""

    boxes: Mapping[str, tuple[float, float]]
    lines: Sequence[Line]
    width: float
    height: float


@dataclass(slots=True)
class _Layers:
    """Nodes and bends, layer by layer; a bend is where a long arrow passes a layer."""

    rows: list[list[str]]
    above: dict[str, list[str]] = field(default_factory=dict)
    below: dict[str, list[str]] = field(default_factory=dict)

    def link(self, upper: str, lower: str) -> None:
        self.below.setdefault(upper, []).append(lower)
        self.above.setdefault(lower, []).append(upper)


def draw(start: str, arrows: Sequence[Arrow]) -> Drawing:
    """Return the drawing of everything that can be reached from `start`."""
    arrows = list(dict.fromkeys(arrows))
    backward = _backward(start, arrows)
    forward = [arrow for arrow in arrows if arrow not in backward]
    depth = _depths(start, forward)
    forward = [arrow for arrow in forward if arrow[0] in depth]
    layers = _Layers([[] for _ in range(max(depth.values()) + 1)])
    for node, row in depth.items():
        layers.rows[row].append(node)
    routes = {arrow: _route(arrow, depth, layers) for arrow in forward}
    _order(layers)
    centres = _centres(layers)
    lines = [_line(arrow, route, centres, depth) for arrow, route in routes.items()]
    right = max(centre + _half(name) for name, centre in centres.items())
    loops = [_loop(arrow, centres, depth, right) for arrow in backward]
    boxes = {
        node: (centres[node] - WIDTH / 2, _MARGIN + row * (HEIGHT + GAP_Y))
        for node, row in depth.items()
    }
    width = right + _MARGIN + (60 if loops else 0)
    return Drawing(boxes, [*lines, *loops], width, _top(len(layers.rows)) - GAP_Y + _MARGIN)


def _backward(start: str, arrows: Sequence[Arrow]) -> list[Arrow]:
    """Return the arrows that close a cycle, found by walking depth first without recursion."""
    out: dict[str, list[Arrow]] = {}
    for arrow in arrows:
        out.setdefault(arrow[0], []).append(arrow)
    found: list[Arrow] = []
    state = {start: "open"}
    stack = [(start, iter(out.get(start, ())))]
    while stack:
        node, rest = stack[-1]
        for arrow in rest:
            if state.get(arrow[1]) == "open":
                found.append(arrow)
            elif arrow[1] not in state:
                state[arrow[1]] = "open"
                stack.append((arrow[1], iter(out.get(arrow[1], ()))))
                break
        else:
            state[node] = "closed"
            stack.pop()
    return found


def _depths(start: str, forward: Sequence[Arrow]) -> dict[str, int]:
    """Return each node's layer: one below the lowest node that leads to it."""
    depth = {start: 0}
    changed = True
    while changed:
        changed = False
        for source, target, _ in forward:
            if source in depth and depth.get(target, -1) <= depth[source]:
                depth[target] = depth[source] + 1
                changed = True
    return depth


def _route(arrow: Arrow, depth: Mapping[str, int], layers: _Layers) -> list[str]:
    """Return the points that an arrow passes: its ends, and a bend in each layer between."""
    source, target, label = arrow
    points = [source]
    for row in range(depth[source] + 1, depth[target]):
        bend = _BEND.join((source, target, label, str(row)))
        layers.rows[row].append(bend)
        points.append(bend)
    points.append(target)
    for upper, lower in pairwise(points):
        layers.link(upper, lower)
    return points


def _order(layers: _Layers) -> None:
    """Sort each layer by where its neighbours are, down and up, so that few arrows cross."""
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        rows = layers.rows if down else layers.rows[::-1]
        near = layers.above if down else layers.below
        for before, row in pairwise(rows):
            place = {name: index for index, name in enumerate(before)}
            own = {name: index for index, name in enumerate(row)}
            row.sort(key=lambda name: _mean(near.get(name, ()), place, own[name]))


def _mean(names: Sequence[str], place: Mapping[str, float], otherwise: float) -> float:
    known = [place[name] for name in names if name in place]
    return sum(known) / len(known) if known else otherwise


def _centres(layers: _Layers) -> dict[str, float]:
    """Return the middle of each node and bend, near its neighbours and clear of the next one."""
    centres: dict[str, float] = {}
    for row in layers.rows:
        places = _apart([0.0] * len(row), row)
        centres.update(zip(row, places, strict=True))
    for sweep in range(_SWEEPS):
        near = layers.above if sweep % 2 == 0 else layers.below
        for row in layers.rows if sweep % 2 == 0 else layers.rows[::-1]:
            wanted = [_mean(near.get(name, ()), centres, centres[name]) for name in row]
            centres.update(zip(row, _apart(wanted, row), strict=True))
    left = min(centre - _half(name) for name, centre in centres.items()) - _MARGIN
    return {name: round(centre - left, 1) for name, centre in centres.items()}


def _apart(wanted: Sequence[float], row: Sequence[str]) -> list[float]:
    """Keep the order and the distances, and stay as near as possible to what is wanted."""
    steps = [_half(left) + _half(right) + GAP_X for left, right in pairwise(row)]
    rightward = _pushed(wanted, steps)
    leftward = [-place for place in _pushed([-place for place in wanted[::-1]], steps[::-1])]
    return [(a + b) / 2 for a, b in zip(rightward, leftward[::-1], strict=True)]


def _pushed(wanted: Sequence[float], steps: Sequence[float]) -> list[float]:
    """Move each place up until it has its step from the one before."""
    places = [wanted[0]]
    for place, step in zip(wanted[1:], steps, strict=True):
        places.append(max(place, places[-1] + step))
    return places


def _half(name: str) -> float:
    return 0.0 if _BEND in name else WIDTH / 2


def _top(row: int) -> float:
    return _MARGIN + row * (HEIGHT + GAP_Y)


def _line(
    arrow: Arrow, route: Sequence[str], centres: Mapping[str, float], depth: Mapping[str, int]
) -> Line:
    source, target, label = arrow
    x, y = centres[source], _top(depth[source]) + HEIGHT
    path = [f"M{x:g},{y:g}"]
    for row, name in enumerate(route[1:], depth[source] + 1):
        end = _top(row)
        middle = (y + end) / 2
        path.append(f"C{x:g},{middle:g} {centres[name]:g},{middle:g} {centres[name]:g},{end:g}")
        x, y = centres[name], end
        if name != target:
            y = end + HEIGHT
            path.append(f"V{y:g}")
    first = centres[route[1]]
    begin = _top(depth[source]) + HEIGHT
    label_x = centres[source] + (first - centres[source]) * 0.5
    return Line(source, target, label, " ".join(path), label_x, begin + GAP_Y * 0.45)


def _loop(
    arrow: Arrow, centres: Mapping[str, float], depth: Mapping[str, int], right: float
) -> Line:
    """Draw an arrow that leads back up, around the right of everything."""
    source, target, label = arrow
    x1, y1 = centres[source] + WIDTH / 2, _top(depth[source]) + HEIGHT / 2
    x2, y2 = centres[target] + WIDTH / 2, _top(depth[target]) + HEIGHT / 2
    out = right + 40
    path = f"M{x1:g},{y1:g} C{out:g},{y1:g} {out:g},{y2:g} {x2:g},{y2:g}"
    return Line(source, target, label, path, out - 16, (y1 + y2) / 2)
