"""The drawing of a graph, and the axis of a timeline."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import clock
from workflows.admin.axis import Axis, gaps_of
from workflows.admin.labels import Point, box_of, point_of
from workflows.admin.layout import HEIGHT, WIDTH, Arrow, Drawing, Line, draw
from workflows.admin.timeline import pretty

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)


def at(**length: float) -> datetime:
    return BEGIN + timedelta(**length)


@st.composite
def graphs(pick: st.DrawFn) -> list[Arrow]:
    """Arrows between up to 15 nodes, each of which can be reached from n0."""
    count = pick(st.integers(1, 15))
    arrows = [(f"n{pick(st.integers(0, node - 1))}", f"n{node}", "") for node in range(1, count)]
    nodes = st.integers(0, count - 1)
    more = pick(st.lists(st.tuples(nodes, nodes), max_size=15))
    return [*arrows, *((f"n{a}", f"n{b}", "back") for a, b in more)]


@given(graphs())
def test_boxes_never_overlap_and_stay_inside(arrows: list[Arrow]) -> None:
    drawing = draw("n0", arrows)
    nodes = {"n0", *(name for source, target, _ in arrows for name in (source, target))}
    assert set(drawing.boxes) == nodes
    places = sorted((y, x) for x, y in drawing.boxes.values())
    for (y, x), (next_y, next_x) in itertools.pairwise(places):
        assert next_y > y or next_x >= x + WIDTH
    assert all(0 <= x <= drawing.width - WIDTH for _, x in places)
    assert all(0 <= y <= drawing.height - HEIGHT for y, _ in places)
    assert len(drawing.lines) == len(set(arrows))


def test_a_chain_is_a_straight_line_downwards() -> None:
    drawing = draw("a", [("a", "b", ""), ("b", "c", "")])
    (ax, ay), (bx, by), (cx, cy) = (drawing.boxes[name] for name in "abc")
    assert ax == bx == cx
    assert ay < by < cy


def test_a_cycle_leads_back_up() -> None:
    drawing = draw("a", [("a", "b", ""), ("b", "a", "again")])
    assert drawing.boxes["a"][1] < drawing.boxes["b"][1]
    assert {line.label for line in drawing.lines} == {"", "again"}


def test_a_long_sleep_is_drawn_short() -> None:
    axis = Axis([(at(), at(seconds=1)), (at(days=2), at(days=2, seconds=1))])
    ((_, _, length, _),) = axis.gaps
    assert length == timedelta(days=2) - timedelta(seconds=1)
    assert axis.place(at()) == 0
    assert axis.place(at(days=2, seconds=1)) == pytest.approx(100)
    assert axis.place(at(seconds=1)) == pytest.approx(46.5)
    assert axis.place(at(days=2)) == pytest.approx(53.5)


@pytest.mark.parametrize("sleeps", [2, 3, 12, 60])
def test_words_over_sleeps_do_not_overprint_each_other(sleeps: int) -> None:
    spans = [(at(hours=hour), at(hours=hour, seconds=1)) for hour in range(sleeps + 1)]
    gaps = gaps_of(Axis(spans))
    assert len(gaps) == sleeps
    assert gaps[0].y is not None
    spoken_over = [gap for gap in gaps if gap.y is not None]
    for one, other in itertools.combinations(spoken_over, 2):
        assert one.y != other.y or abs(one.middle - other.middle) >= 24


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**4)), min_size=1, max_size=30),
    st.lists(st.integers(-10, 2 * 10**6), min_size=2),
)
def test_what_is_later_is_never_further_left(
    spans: list[tuple[int, int]], moments: list[int]
) -> None:
    axis = Axis([(at(seconds=begin), at(seconds=begin + length)) for begin, length in spans])
    places = [axis.place(at(seconds=moment)) for moment in sorted(moments)]
    assert places == sorted(places)
    assert places[0] >= 0
    assert places[-1] <= 100.001


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0034, "3 ms"),
        (1.25, "1.2 s"),
        (240, "4 min"),
        (245, "4 min 5 s"),
        (7260, "2 h 1 min"),
        (180000, "2 d 2 h"),
        (-1, "0 ms"),
    ],
)
def test_lengths_are_spoken(seconds: float, words: str) -> None:
    assert clock.spoken(timedelta(seconds=seconds)) == words


def test_long_values_are_cut() -> None:
    assert pretty({"a": "é"}) == '{\n  "a": "é"\n}'
    assert pretty("x" * 7000).endswith("characters more")


LOOP = [("s", "l", ""), ("l", "end", ""), ("l", "a", "body"), ("a", "b", ""), ("b", "l", "")]
NESTED = [
    ("s", "k", ""), ("k", "end", "on_timeout / next"), ("k", "l", "body"), ("l", "a", "body"),
    ("l", "late", "on_limit"), ("a", "p", ""), ("p", "b", "a long name of one"),
    ("p", "c", "another long name"), ("b", "l", ""), ("c", "l", ""), ("l", "k", ""),
    ("late", "k", ""), ("c", "c", ""),
]  # fmt: skip


def points_of(path: str) -> list[Point]:
    """Return points on a path of cubic curves."""
    begin, *parts = path[1:].split(" C")
    here, found = _pair(begin), []
    for part in parts:
        a, b, end = (_pair(each) for each in part.split())
        found += [point_of((here, a, b, end), step / 40) for step in range(41)]
        here = end
    return found


def _pair(text: str) -> Point:
    x, y = text.split(",")
    return float(x), float(y)


@pytest.mark.parametrize("arrows", [LOOP, NESTED])
def test_ways_back_cross_neither_boxes_nor_labels(arrows: list[Arrow]) -> None:
    drawing = draw("s", arrows)
    places = [box_of((line.label_x, line.label_y), line.label) for line in drawing.lines]
    labels = [box for line, box in zip(drawing.lines, places, strict=True) if line.label]
    boxes = [(x + 1, y + 1, x + WIDTH - 1, y + HEIGHT - 1) for x, y in drawing.boxes.values()]
    up = [line for line in drawing.lines if is_upward(line, drawing)]
    assert len(up) == sum(
        drawing.boxes[source][1] >= drawing.boxes[target][1] for source, target, _ in arrows
    )
    for line in up:
        for x, y in points_of(line.path):
            assert 0 <= x <= drawing.width
            for left, top, right, bottom in boxes + labels:
                assert not (left < x < right and top < y < bottom), (line, x, y)
    for one, other in itertools.combinations(labels, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def is_upward(line: Line, drawing: Drawing) -> bool:
    return drawing.boxes[line.source][1] >= drawing.boxes[line.target][1]


def test_a_long_call_is_cut_as_a_long_sleep_is() -> None:
    short = [(at(seconds=each), at(seconds=each + 1)) for each in range(3)]
    long = (at(seconds=3), at(hours=20))
    axis = Axis([*short, long, (at(hours=20), at(hours=20, seconds=2))])
    (gap,) = gaps_of(axis)
    assert gap.told == "19 h 59 min"
    assert axis.place(at(seconds=1)) == pytest.approx(93 / 5)
    assert gap.x == pytest.approx(93 * 3 / 5)


def test_a_sleep_that_ends_beside_another_is_cut_at_its_own_end() -> None:
    busy = [(at(), at(seconds=1)), (at(days=4), at(days=4, seconds=1))]
    axis = Axis(busy, changes=[at(hours=2)])
    assert [gap.told for gap in gaps_of(axis)] == ["1 h 59 min asleep", "3 d 22 h asleep"]
    assert axis.place(at(hours=2)) == pytest.approx(50)


def test_the_only_sleep_of_a_run_has_the_whole_axis() -> None:
    axis = Axis([(at(), at(microseconds=300)), (at(days=2), at(days=2))])
    assert axis.gaps == []
    assert axis.place(at(days=1)) == pytest.approx(50, abs=0.1)
