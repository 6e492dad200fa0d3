from typing import Any

import pytest

from tests.unit.nodes.bench import node
from workflows.errors import ExpressionError
from workflows.nodes.outcomes import Continue, Fail

ROWS = [{"n": 3, "t": "a"}, {"n": 1, "t": "b"}, {"n": 2, "t": "a"}]


def folded(function: str, rows: Any, **config: Any) -> Any:
    outcome = node("aggregate", items="rows", function=function, **config).run(rows=rows)
    assert isinstance(outcome, Continue)
    assert outcome.context["rows"] == rows
    return outcome.context["output"]


@pytest.mark.parametrize(
    ("function", "answer", "of_nothing"),
    [
        ("sum", 6, 0),
        ("count", 3, 0),
        ("avg", 2.0, None),
        ("min", 1, None),
        ("max", 3, None),
        ("first", 3, None),
        ("last", 2, None),
    ],
)
def test_each_function(function: str, answer: Any, of_nothing: Any) -> None:
    assert folded(function, ROWS, value="item.n") == answer
    assert folded(function, [3, 1, 2]) == answer
    assert folded(function, []) == of_nothing


def test_groups_are_in_the_order_of_their_first_items() -> None:
    made = folded("group_by", ROWS, value="item.t")
    assert made == {"a": [ROWS[0], ROWS[2]], "b": [ROWS[1]]}
    assert list(made) == ["a", "b"]
    assert folded("group_by", []) == {}


def test_a_group_can_be_computed() -> None:
    assert folded("group_by", [1, 2, 3], value="item % 2 == 0") == {"false": [1, 3], "true": [2]}


def test_a_list_as_group_fails() -> None:
    with pytest.raises(ExpressionError):
        folded("group_by", ROWS, value="[item.t]")


def test_texts_have_no_sum() -> None:
    with pytest.raises(ExpressionError):
        folded("sum", ROWS, value="item.t")


def test_what_is_no_list_fails() -> None:
    outcome = node("aggregate", items="rows", function="sum").run(rows=3)
    assert isinstance(outcome, Fail)
    assert outcome.code == "items_invalid"
