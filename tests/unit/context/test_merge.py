"""The merge table row by row, and the three-way merge of contributions."""

import copy
from copy import deepcopy
from typing import Any

import pytest

from workflows.context.merge import lay_over, merge_contributions, merge_values
from workflows.context.values import ABSENT, equal


@pytest.mark.parametrize(
    ("have", "arrives", "result"),
    [
        pytest.param(ABSENT, 1, 1, id="nothing, scalar: one scalar stays a scalar"),
        pytest.param(ABSENT, [1], [1], id="nothing, list"),
        pytest.param(ABSENT, {"a": 1}, {"a": 1}, id="nothing, object"),
        pytest.param(ABSENT, None, None, id="nothing, null"),
        pytest.param([1, 2], [3], [1, 2, 3], id="list, list: concatenation"),
        pytest.param([1], 2, [1, 2], id="list, scalar: appended"),
        pytest.param([1], None, [1, None], id="list, null: a scalar like others"),
        pytest.param(1, [2, 3], [1, 2, 3], id="scalar, list: the scalar, then the items"),
        pytest.param(1, 2, [1, 2], id="scalar, scalar: a list of both"),
        pytest.param("a", "a", ["a", "a"], id="scalar, equal scalar: still a list of both"),
        pytest.param({"a": 1}, {"b": 2}, {"a": 1, "b": 2}, id="object, object: by key"),
        pytest.param(
            {"a": 1, "b": [1], "c": {"d": 1}},
            {"a": 2, "b": 2, "c": {"e": 2}},
            {"a": [1, 2], "b": [1, 2], "c": {"d": 1, "e": 2}},
            id="object, object: each key by the table",
        ),
        pytest.param({"a": 1}, 2, [{"a": 1}, 2], id="object, scalar: as scalars"),
        pytest.param(2, {"a": 1}, [2, {"a": 1}], id="scalar, object: as scalars"),
        pytest.param([1], {"a": 1}, [1, {"a": 1}], id="list, object: appended as a scalar is"),
        pytest.param({"a": 1}, [1], [{"a": 1}, 1], id="object, list: in front as a scalar is"),
        pytest.param(1, ABSENT, 1, id="anything, nothing: unchanged"),
        pytest.param([1], ABSENT, [1], id="list, nothing: unchanged"),
        pytest.param(ABSENT, ABSENT, ABSENT, id="nothing, nothing"),
    ],
)
def test_table(have: Any, arrives: Any, result: Any) -> None:
    before = deepcopy((have, arrives))
    assert merge_values(have, arrives) == result
    assert (have, arrives) == before


@pytest.mark.parametrize(
    ("base", "values", "result"),
    [
        pytest.param(5, [5, 5], 5, id="nobody changed it"),
        pytest.param(ABSENT, [ABSENT, ABSENT], ABSENT, id="nobody set it"),
        pytest.param(5, [], 5, id="no branches"),
        pytest.param(5, [5, 6], 6, id="one changed it: the base is no contribution"),
        pytest.param(5, [6, 7], [6, 7], id="two changed it"),
        pytest.param(1, [1.0, True], True, id="true is a change of 1, 1.0 is not"),
        pytest.param(None, [None, 1], 1, id="null is a base like others"),
        pytest.param(ABSENT, [1, ABSENT, [2], 3], [1, 2, 3], id="in order, by the table"),
        pytest.param(5, [ABSENT, 5], ABSENT, id="removed by one, changed by none"),
        pytest.param(5, [ABSENT, 6], 6, id="removed by one, changed by another"),
        pytest.param([1], [[1, 2], [1], [1, 3, 4]], [1, 2, 3, 4], id="lists that grew"),
        pytest.param([1], [[1, 2], [0]], [1, 2, 0], id="a list that did not only grow"),
        pytest.param([1], [[1, 2], 9], [1, 2, 9], id="a list and a scalar"),
        pytest.param([], [["a"], ["b"]], ["a", "b"], id="from the empty list"),
        pytest.param([1], [[True, 2]], [True, 2], id="true is no prefix of 1"),
        pytest.param(
            {"a": 1, "b": 2, "c": 3},
            [{"a": 1, "b": 5, "c": 3}, {"a": 1, "c": 3}, {"a": 1, "b": 2, "d": 4}],
            {"a": 1, "b": 5, "d": 4},
            id="objects key by key: b changed, c removed, d added",
        ),
        pytest.param(
            {"log": ["start"], "n": {"x": 1}},
            [
                {"log": ["start", "a"], "n": {"x": 1, "y": 2}},
                {"log": ["start", "b"], "n": {"x": 3}},
            ],
            {"log": ["start", "a", "b"], "n": {"x": 3, "y": 2}},
            id="objects with lists and objects inside",
        ),
        pytest.param(
            {"a": 1}, [{"a": 1, "b": 2}, 7], [{"a": 1, "b": 2}, 7], id="object and scalar"
        ),
        pytest.param(
            ABSENT, [{"a": 1}, {"a": 2}, {"b": 3}], {"a": [1, 2], "b": 3}, id="new objects"
        ),
        pytest.param(ABSENT, [{"a": 1}, 2, {"b": 3}], [{"a": 1}, 2, {"b": 3}], id="mixed"),
        pytest.param(
            ABSENT, [{"a": 1}, {"b": 2}, 3], [{"a": 1, "b": 2}, 3], id="objects, then not"
        ),
    ],
)
def test_contributions(base: Any, values: list[Any], result: Any) -> None:
    before = deepcopy((base, values))
    merged = merge_contributions(base, iter(values))
    assert merged == result
    assert (merged is True) == (result is True)
    assert (base, values) == before


def test_only_what_a_branch_changed_counts_even_among_ten_thousand() -> None:
    base = {"seen": [0]}
    values = [{"seen": [0, index], f"key{index}": index} for index in range(1, 10_001)]
    merged: Any = merge_contributions(base, values)
    assert merged["seen"] == list(range(10_001))
    assert len(merged) == 10_001


def test_ten_thousand_contributions_cost_work_in_proportion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Counts comparisons instead of seconds: quadratic work would be fifty million of them.
    compared = 0

    def counting(one: Any, other: Any) -> bool:
        nonlocal compared
        compared += 1
        return equal(one, other)

    monkeypatch.setattr("workflows.context.merge.equal", counting)
    merge_contributions({}, [{f"key{index}": [index]} for index in range(10_000)])
    merge_contributions([], [[index] for index in range(10_000)])
    assert compared <= 50_000


def test_laid_over_objects_are_merged_by_key_and_the_rest_is_overwritten() -> None:
    below: dict[str, Any] = {"a": {"b": 1, "c": {"d": [1]}}, "e": [1], "f": {"g": 1}, "h": 1}
    above: dict[str, Any] = {"a": {"c": {"d": [2], "x": None}}, "e": [], "f": None, "i": {}}
    before = copy.deepcopy((below, above))
    merged = lay_over(below, above)
    expected: dict[str, Any] = {
        "a": {"b": 1, "c": {"d": [2], "x": None}},
        "e": [],
        "f": None,
        "h": 1,
        "i": {},
    }
    assert (merged, (below, above)) == (expected, before)
