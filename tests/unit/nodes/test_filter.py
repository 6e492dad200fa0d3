from typing import Any

import pytest

from tests.unit.nodes.bench import node
from workflows.errors import ExpressionError
from workflows.nodes.outcomes import Continue, Fail


def kept(context: dict[str, Any], **config: Any) -> Any:
    outcome = node("filter", **config).run(**context)
    assert isinstance(outcome, Continue)
    return outcome.context


def test_items_for_which_the_condition_holds_are_kept_in_order() -> None:
    context = {"rows": [{"n": 3}, {"n": 1}, {"n": 2}], "least": 2}
    made = kept(context, items="rows", when="item.n >= least")
    assert made == {"rows": [{"n": 3}, {"n": 2}], "least": 2}


def test_the_list_stays_when_the_result_is_elsewhere() -> None:
    made = kept({"a": {"b": [1, 2]}}, items="a.b", when="item > 1", result="big")
    assert made == {"a": {"b": [1, 2]}, "big": [2]}


def test_index_and_a_name_for_the_item() -> None:
    made = kept({"rows": [7, 8, 9]}, items="rows", when="row != 8 || index == 0", **{"as": "row"})
    assert made == {"rows": [7, 9]}


def test_an_empty_list_stays_empty() -> None:
    assert kept({"rows": []}, items="rows", when="item.x") == {"rows": []}


@pytest.mark.parametrize("rows", [None, {}, "text", 1])
def test_what_is_no_list_fails(rows: object) -> None:
    outcome = node("filter", items="rows", when="true").run(rows=rows)
    assert isinstance(outcome, Fail)
    assert outcome.code == "items_invalid"


def test_a_condition_that_is_not_boolean_fails() -> None:
    with pytest.raises(ExpressionError):
        node("filter", items="rows", when="item").run(rows=[1])


def test_reserved_names_are_refused() -> None:
    problems = node("filter", items="rows", when="true", **{"as": "run"}).problems
    assert problems == [("/as", "The name 'run' has another meaning.")]
