"""Puts the words of arrows where nothing else is: neither arrows that lead back nor other words."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import product
from math import inf

Point = tuple[float, float]
#: A cubic curve: where it begins, what it bends towards, twice, and where it ends.
Curve = tuple[Point, Point, Point, Point]

#: The longest words that are drawn, in characters; of longer ones the rest is in the tooltip.
LONGEST = 18
_CHARACTER, _UP, _DOWN = 6.2, 10.0, 4.0  # pixels: width of one, height above and below the line
#: Where along its arrow a label may stand, the best place first.
_PLACES = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)
#: How far it may be moved aside from there, in pixels, the best first.
_ASIDE = (0.0, -14.0, 14.0, -28.0, 28.0, -44.0, 44.0)
_SAMPLES = 24

Box = tuple[float, float, float, float]  # left, top, right, bottom


def curve(here: Point, there: Point) -> Curve:
    """Return the curve that leaves and arrives upright."""
    middle = (here[1] + there[1]) / 2
    return here, (here[0], middle), (there[0], middle), there


def place_labels(
    ways: Sequence[Curve], names: Sequence[str], barred: Sequence[Curve]
) -> list[Point]:
    """Return where the middle of each label stands, clear of the barred curves where it can be."""
    # By their height: only those as high as a label are looked at.
    heights = sorted(
        (y, x)
        for each in barred
        for x, y in (point_of(each, step / _SAMPLES) for step in range(_SAMPLES + 1))
    )
    taken: list[Box] = []
    places = []
    for way, name in zip(ways, names, strict=True):
        best = _best(way, name, heights, taken)
        taken.append(box_of(best, name))
        places.append(best)
    return places


def _best(way: Curve, name: str, heights: Sequence[Point], taken: Sequence[Box]) -> Point:
    """Return the first place at which nothing else is, or else the one with the least."""
    costs: dict[Point, int] = {}
    for aside, along in product(_ASIDE, _PLACES):
        place = _place(way, along, aside)
        costs[place] = _cost(box_of(place, name), heights, taken)
        if not costs[place]:
            return place
    return min(costs, key=lambda place: costs[place])


def point_of(way: Curve, along: float) -> Point:
    """Return the point of a curve at a share from 0 to 1 of its way."""
    rest = 1 - along
    shares = (rest**3, 3 * rest**2 * along, 3 * rest * along**2, along**3)
    x = sum(share * point[0] for share, point in zip(shares, way, strict=True))
    y = sum(share * point[1] for share, point in zip(shares, way, strict=True))
    return x, y


def box_of(at: Point, name: str) -> Box:
    """Return what the words around a place cover."""
    half = min(len(name), LONGEST) * _CHARACTER / 2
    return at[0] - half, at[1] - _UP, at[0] + half, at[1] + _DOWN


def _place(way: Curve, along: float, aside: float) -> Point:
    x, y = point_of(way, along)
    return round(x + aside, 1), round(y + 1, 1)


def _cost(box: Box, heights: Sequence[Point], taken: Sequence[Box]) -> int:
    left, top, right, bottom = box
    first, last = bisect_left(heights, (top, -inf)), bisect_right(heights, (bottom, inf))
    on_line = any(left - 2 <= x <= right + 2 for _, x in heights[first:last])
    on_words = sum(
        left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
        for other in taken
    )
    return on_line + 2 * on_words
