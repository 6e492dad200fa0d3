"""The kinds that only compute: transform, filter, aggregate."""

from typing import Any

import pytest

from tests.support.assertions import assert_completed, assert_failed
from tests.support.builder import end, workflow
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def ran(engine: Harness, data: dict[str, Any], **node: Any) -> Any:
    engine.publish(workflow("data", {"id": "node", **node}, end("done")))
    return engine.run("data", data)


def test_transform_sets_one_path_from_cel(engine: Harness) -> None:
    """Contract: set one path from CEL."""
    run = ran(engine, {"a": [1, 2]}, type="transform", value="sum(a)", result="b.c")
    assert_completed(run, {"a": [1, 2], "b": {"c": 3}})


def test_filter_keeps_items_for_which_cel_is_true(engine: Harness) -> None:
    """Contract: keep list items for which CEL is true."""
    run = ran(engine, {"a": [3, 1, 2]}, type="filter", items="a", when="item > 1")
    assert_completed(run, {"a": [3, 2]})


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        ("sum", 6),
        ("count", 3),
        ("avg", 2.0),
        ("min", 1),
        ("max", 3),
        ("first", 3),
        ("last", 2),
        ("group_by", {"3": [3], "1": [1], "2": [2]}),
    ],
)
def test_aggregate_folds_a_list(engine: Harness, function: str, answer: Any) -> None:
    """Contract: fold a list (`sum count avg min max first last group_by`)."""
    run = ran(engine, {"a": [3, 1, 2]}, type="aggregate", items="a", function=function)
    assert_completed(run, {"a": [3, 1, 2], "output": answer})


@pytest.mark.parametrize(
    "node",
    [
        {"type": "filter", "items": "a", "when": "true"},
        {"type": "aggregate", "items": "a", "function": "sum"},
    ],
)
def test_what_is_no_list_fails_the_run(engine: Harness, node: dict[str, Any]) -> None:
    assert_failed(ran(engine, {"a": None}, **node), "items_invalid")
