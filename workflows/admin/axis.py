"""The axis of a timeline: true to scale but for its breaks, so that short steps can be read.

A run may work for seconds, call something for hours and sleep for days. Between any two moments at
which something changed lies a stretch. Those that are much longer than all shorter ones together
are cut: each is drawn as wide as every other that is cut, between two dashed lines.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from workflows import clock

SCALE = 100.0  # the whole width of the axis, in percent
ROW_HEIGHT = 14  # pixels
_TICK = timedelta(microseconds=1)
_NOTHING = timedelta(0)
_CUT = 7.0  # width of a stretch that is cut, in percent
_MUCH_LONGER = 2  # times all shorter stretches together
_SEEN = timedelta(milliseconds=10)  # less than this is not worth a break
_SHORTEST_CUT = timedelta(seconds=1)
_LABEL = 24.0  # width of the words over a cut, in percent, where the axis is short
_MOST_ROWS = 3  # of such words


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that is cut short; `y` of its words in pixels, None where they have no room."""

    x: float
    width: float
    told: str
    y: int | None

    @property
    def middle(self) -> float:
        """Where the words stand."""
        return round(self.x + self.width / 2, 2)

    @property
    def end(self) -> float:
        """Where it ends."""
        return round(self.x + self.width, 2)


class Axis:
    """Maps moments to positions from 0 to 100; stretches that are much too long are cut short.

    `busy` are the stretches of work, `changes` other moments at which something began or ended.
    """

    def __init__(
        self, busy: Iterable[tuple[datetime, datetime]], changes: Iterable[datetime] = ()
    ) -> None:
        work = list(busy)
        spans = _merged(work)
        first, last = spans[0][0], spans[-1][1]
        inside = {min(max(moment, first), last) for moment in changes}
        moments = sorted(inside | {moment for span in work for moment in span})
        lengths = [after - before for before, after in pairwise(moments)]
        longest = _longest_uncut(lengths)
        cuts = sum(length > longest for length in lengths)
        kept = sum((each for each in lengths if each <= longest), start=_NOTHING)
        drawn = max(SCALE - cuts * _CUT, SCALE / 4)
        self._unit = drawn / (kept / _TICK) if kept else 0.0  # a tick, on the axis
        self._cut = (SCALE - drawn) / cuts if cuts else 0.0
        self._points: list[tuple[datetime, float]] = [(first, 0.0)]
        #: Those that are cut: where each begins, how wide it is drawn, how long it was, whether
        #: anything worked in it.
        self.gaps: list[tuple[float, float, timedelta, bool]] = []
        for (before, after), length in zip(pairwise(moments), lengths, strict=True):
            self._draw(before, after, is_cut=length > longest, is_busy=_meets(spans, before, after))

    def _draw(self, before: datetime, after: datetime, *, is_cut: bool, is_busy: bool) -> None:
        place, length = self._points[-1][1], after - before
        width = self._cut if is_cut else self._unit * (length / _TICK)
        if is_cut:
            self.gaps.append((place, width, length, is_busy))
        self._points.append((after, place + width))

    def place(self, moment: datetime) -> float:
        """Return the position of a moment; what lies outside is at the edge."""
        after = bisect_left(self._points, moment, key=lambda point: point[0])
        if after == 0:
            return self._points[0][1]
        if after == len(self._points):
            return self._points[-1][1]
        (begin, low), (end, high) = self._points[after - 1], self._points[after]
        return low + (high - low) * ((moment - begin) / (end - begin)) if end > begin else high


def gaps_of(axis: Axis) -> list[Gap]:
    """Return the stretches that are cut, with words in as many rows as keep them apart."""
    ends: list[float] = []  # of the last words in each row
    found = []
    for place, width, length, is_busy in axis.gaps:
        middle = place + width / 2
        row = next((row for row, end in enumerate(ends) if end <= middle), len(ends))
        if row < _MOST_ROWS:
            ends[row : row + 1] = [middle + _LABEL]
        y = row * ROW_HEIGHT + 11 if row < _MOST_ROWS else None
        told = clock.spoken(length) + ("" if is_busy else " asleep")
        found.append(Gap(round(place, 2), round(width, 2), told, y))
    return found


def _longest_uncut(lengths: Sequence[timedelta]) -> timedelta:
    """Return the length of the longest stretch that is not cut."""
    before, longest = _NOTHING, _NOTHING
    for length in sorted(lengths):
        most = max(before * _MUCH_LONGER, _SHORTEST_CUT)
        if before >= _SEEN and length > most:
            return longest
        before, longest = before + length, length
    return longest


def _merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _meets(spans: Sequence[tuple[datetime, datetime]], before: datetime, after: datetime) -> bool:
    """Tell whether anything works between two moments; the spans are apart and in order."""
    at = bisect_right(spans, before, key=lambda span: span[1])
    return at < len(spans) and spans[at][0] < after
