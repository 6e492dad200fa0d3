import json
from copy import deepcopy
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.errors import PathError
from workflows.nodes.outcomes import Branches, Items, Racers, Slices
from workflows.nodes.parts import (
    Parts,
    part_context,
    part_count,
    part_name,
    part_start,
    parts_from_json,
    parts_to_json,
)

BRANCHES = Branches(("a", "b"), ("n1", "n2"))
SLICES = Slices("work", "in.rows", size=2, count=3, parallel=0)
ITEMS = Items("work", "rows", name="row", count=2, parallel=5)


def test_a_branch_starts_with_the_context() -> None:
    assert part_context(BRANCHES, {"x": 1}, 1) == {"x": 1}
    assert [part_start(BRANCHES, index) for index in range(part_count(BRANCHES))] == ["n1", "n2"]


def test_a_racer_starts_with_the_context_too() -> None:
    racers = Racers(("a", "b"), ("n1", "n2"))
    assert part_context(racers, {"x": 1}, 1) == {"x": 1}
    assert [part_start(racers, index) for index in range(part_count(racers))] == ["n1", "n2"]


def test_a_part_is_named_by_its_branch_or_by_its_index() -> None:
    assert part_name(BRANCHES, 1) == {"name": "b"}
    assert part_name(ITEMS, 1) == {"index": 1}


def test_a_slice_sees_its_part_of_the_list_and_where_it_is() -> None:
    base = {"in": {"rows": [1, 2, 3, 4, 5], "y": 0}, "x": 1}
    before = deepcopy(base)
    last = part_context(SLICES, base, 2)
    assert last == {
        "in": {"rows": [5], "y": 0},
        "x": 1,
        "batch": {"index": 2, "count": 3, "start": 4, "end": 5, "total": 5},
    }
    assert base == before
    assert part_start(SLICES, 2) == "work"
    assert part_count(SLICES) == 3


def test_size_0_is_one_slice_with_the_whole_list() -> None:
    context = part_context(Slices("work", "rows", 0, 1, parallel=0), {"rows": [1, 2, 3]}, 0)
    assert context == {
        "rows": [1, 2, 3],
        "batch": {"index": 0, "count": 1, "start": 0, "end": 3, "total": 3},
    }


def test_an_item_is_there_under_its_name_with_its_index() -> None:
    base = {"rows": ["a", None], "x": 1}
    assert part_context(ITEMS, base, 1) == {"rows": ["a", None], "x": 1, "row": None, "index": 1}
    assert base == {"rows": ["a", None], "x": 1}
    assert part_count(ITEMS) == 2


def test_the_inner_of_two_nested_splits_wins() -> None:
    outer = part_context(SLICES, {"in": {"rows": [[1], [2]]}}, 0)
    inner = part_context(Slices("w", "in.rows", 1, 2, parallel=0), outer, 1)
    assert inner["in"] == {"rows": [[2]]}
    assert inner["batch"] == {"index": 1, "count": 2, "start": 1, "end": 2, "total": 2}


@pytest.mark.parametrize("parts", [SLICES, ITEMS])
def test_a_context_without_the_list_is_refused(parts: Parts) -> None:
    with pytest.raises(PathError, match="rows"):
        part_context(parts, {"rows": None}, 0)


@given(rows=st.lists(st.integers(), min_size=1, max_size=50), size=st.integers(0, 20))
def test_slices_are_contiguous_in_order_and_whole(rows: list[int], size: int) -> None:
    count = ceil(len(rows) / size) if size else 1
    slices = Slices("work", "rows", size, count, parallel=0)
    contexts = [part_context(slices, {"rows": rows}, index) for index in range(count)]
    assert [row for context in contexts for row in context["rows"]] == rows
    assert all(context["rows"] for context in contexts)
    for context in contexts:
        batch = context["batch"]
        assert context["rows"] == rows[batch["start"] : batch["end"]]


@pytest.mark.parametrize(
    "parts", [BRANCHES, SLICES, ITEMS, Branches(["a"], ["n"]), Racers(("a", "b"), ("n1", "n2"))]
)
def test_parts_come_back_from_json_as_they_were(parts: Parts) -> None:
    back = parts_from_json(json.loads(json.dumps(parts_to_json(parts))))
    assert type(back) is type(parts)
    assert part_count(back) == part_count(parts)
    assert parts_to_json(back) == parts_to_json(parts)
    starts = [part_start(parts, index) for index in range(part_count(parts))]
    assert [part_start(back, index) for index in range(part_count(back))] == starts
