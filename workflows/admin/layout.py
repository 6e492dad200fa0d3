"""Draws a graph in layers, top to bottom: pure arithmetic, no JavaScript, no other library.

An arrow that leads back up goes by a lane: a bend in each layer from its source to its target, the
first and the last of them right beside these boxes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from workflows.admin.labels import Curve, Point, curve, place_labels

Arrow = tuple[str, str, str]  # from, to, label

WIDTH, HEIGHT = 156, 46  # of a box, in pixels
GAP_X, GAP_Y = 22, 42
_SWEEPS = 8
_BEND = "\0"  # in the name of a bend, and of no node
_MARGIN = 16
_APART = 8  # of the ends of an arrow back from the middle of a box's side, in pixels


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
    beside: dict[str, str] = field(default_factory=dict)  # the box that the end of a lane is at

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
    backward = [arrow for arrow in backward if arrow[0] in depth]
    lanes = {arrow: _lane(arrow, depth, layers) for arrow in backward}
    _order(layers)
    centres = _centres(layers)
    ways = {arrow: _way(arrow, route, centres, depth) for arrow, route in routes.items()}
    ways |= {arrow: _way_back(arrow, lane, centres, depth) for arrow, lane in lanes.items()}
    boxes = {
        node: (centres[node] - WIDTH / 2, _MARGIN + row * (HEIGHT + GAP_Y))
        for node, row in depth.items()
    }
    width = max(centre + _half(name) for name, centre in centres.items()) + _MARGIN
    return Drawing(boxes, _lines(ways, lanes), width, _top(len(layers.rows)) - GAP_Y + _MARGIN)


def _lines(ways: Mapping[Arrow, list[Curve]], backward: Collection[Arrow]) -> list[Line]:
    """Return the lines with their labels, which keep clear of the ways back."""
    labelled = {arrow: way[0] for arrow, way in ways.items() if arrow[2]}
    obstacles = [part for arrow in backward for part in ways[arrow]]
    names = [arrow[2] for arrow in labelled]
    places = dict(
        zip(labelled, place_labels(list(labelled.values()), names, obstacles), strict=True)
    )
    return [Line(*arrow, _path(way), *places.get(arrow, way[0][0])) for arrow, way in ways.items()]


def _path(way: Sequence[Curve]) -> str:
    begin = way[0][0]
    curves = [f"C{a[0]:g},{a[1]:g} {b[0]:g},{b[1]:g} {end[0]:g},{end[1]:g}" for _, a, b, end in way]
    return " ".join([f"M{begin[0]:g},{begin[1]:g}", *curves])


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


def _lane(arrow: Arrow, depth: Mapping[str, int], layers: _Layers) -> list[str]:
    """Return the bends that an arrow back passes, upwards, in all layers that it touches."""
    source, target, label = arrow
    rows = range(depth[source], depth[target] - 1, -1)
    lane = [_BEND.join(("back", source, target, label, str(row))) for row in rows]
    for row, bend in zip(rows, lane, strict=True):
        layers.rows[row].append(bend)
    for lower, upper in pairwise(lane):
        layers.link(upper, lower)
    layers.beside |= {lane[0]: source, lane[-1]: target}
    return lane


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
            _put_beside(row, layers.beside)


def _put_beside(row: list[str], beside: Mapping[str, str]) -> None:
    """Put the ends of lanes right beside their boxes: nothing else is between them."""
    ends = [name for name in row if name in beside]
    row[:] = [name for name in row if name not in beside]
    for end in reversed(ends):
        row.insert(row.index(beside[end]) + 1, end)


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
            wanted = [
                centres[layers.beside[name]] + WIDTH / 2 if name in layers.beside else want
                for name, want in zip(row, wanted, strict=True)
            ]
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


def _way(
    arrow: Arrow, route: Sequence[str], centres: Mapping[str, float], depth: Mapping[str, int]
) -> list[Curve]:
    """Return the curves of an arrow that leads down."""
    here = (centres[arrow[0]], _top(depth[arrow[0]]) + HEIGHT)
    way: list[Curve] = []
    for row, name in enumerate(route[1:], depth[arrow[0]] + 1):
        there = (centres[name], _top(row))
        way.append(curve(here, there))
        here = there
        if name != route[-1]:
            here = (centres[name], _top(row) + HEIGHT)
            way.append(curve(there, here))
    return way


def _way_back(
    arrow: Arrow, lane: Sequence[str], centres: Mapping[str, float], depth: Mapping[str, int]
) -> list[Curve]:
    """Return the curves of an arrow that leads back up, from side to side of the boxes."""
    source, target, _ = arrow
    begin = (centres[source] + WIDTH / 2, _top(depth[source]) + HEIGHT / 2 + _APART)
    end = (centres[target] + WIDTH / 2, _top(depth[target]) + HEIGHT / 2 - _APART)
    points: list[Point] = []
    for row, name in zip(range(depth[source], depth[target] - 1, -1), lane, strict=True):
        points += [(centres[name], _top(row) + HEIGHT), (centres[name], _top(row))]
    points = [begin, *points[1:-1], end] if len(lane) > 1 else [begin, end]
    if len(lane) == 1:  # around the corner of one box
        out = centres[lane[0]]
        return [(begin, (out, begin[1]), (out, end[1]), end)]
    first, last = points[1], points[-2]
    middle = [curve(*pair) for pair in pairwise(points[1:-1])]
    corners = ((first[0], begin[1]), (last[0], end[1]))
    return [
        (begin, corners[0], corners[0], first), *middle, (last, corners[1], corners[1], end)
    ]  # fmt: skip
