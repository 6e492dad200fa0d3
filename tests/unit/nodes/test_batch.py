from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import Node, node
from workflows.nodes.outcomes import Continue, Fail, Slices, Split


def batch(**fields: Any) -> Node:
    return node("batch", **{"items": "rows", "process": "work", "next": "on", **fields})


@pytest.mark.parametrize(
    ("length", "size", "count"),
    [(1, 1, 1), (5, 2, 3), (4, 2, 2), (3, 10, 1), (7, 0, 1), (10_001, 100, 101)],
)
def test_the_list_is_cut_into_slices_of_size(length: int, size: int, count: int) -> None:
    outcome = batch(size=size).run(rows=list(range(length)))
    assert outcome == Split(Slices("work", "rows", size, count, parallel=0), merge="output")


def test_parallel_queue_and_merge_go_with_the_split() -> None:
    outcome = batch(size=1, parallel=4, queue="inspection", merge="found.rows").run(rows=[1, 2])
    slices = Slices("work", "rows", 1, 2, parallel=4)
    assert outcome == Split(slices, merge="found.rows", queue="inspection")


def test_an_empty_merge_keeps_nothing() -> None:
    outcome = batch(merge="").run(rows=[1])
    assert isinstance(outcome, Split)
    assert outcome.merge is None
    assert batch(merge="").problems == []


def test_an_empty_list_goes_straight_on() -> None:
    assert batch().run(rows=[], output=1) == Continue({"rows": [], "output": 1})


def test_without_process_it_goes_straight_on() -> None:
    assert batch(process=None).run(rows=[1]) == Continue({"rows": [1]})


@pytest.mark.parametrize(
    ("context", "found"),
    [
        ({"rows": {"a": 1}}, "object"),
        ({"rows": "secret"}, "string"),
        ({"rows": 3}, "integer"),
        ({"rows": None}, "null"),
        ({}, "absent"),
    ],
)
@pytest.mark.parametrize("process", ["work", None])
def test_what_is_no_list_fails_with_path_and_type(
    context: dict[str, Any], found: str, process: str | None
) -> None:
    outcome = batch(process=process).run(**context)
    assert isinstance(outcome, Fail)
    assert outcome.code == "items_invalid"
    assert "'rows'" in outcome.message
    assert found in outcome.message
    assert "secret" not in outcome.message


@pytest.mark.parametrize("field", ["size", "parallel"])
@pytest.mark.parametrize("value", [-1, 1.5, "many"])
def test_numbers_are_whole_and_not_negative(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        batch(**{field: value})


def test_items_are_required() -> None:
    with pytest.raises(ValidationError, match="items"):
        node("batch", process="work")


def test_check_refuses_a_merge_that_is_no_path() -> None:
    assert [pointer for pointer, _ in batch(merge="a..b").problems] == ["/merge"]


def test_ports_and_part_ports() -> None:
    split = batch()
    assert split.ports == {"next": "on", "process": "work"}
    assert split.kind.part_ports(split.config) == ("process",)
    assert split.kind.is_split
    assert split.kind.sets(split.config) == ("output", "batch")


def test_tolerance_goes_with_the_split_and_lists_nothing_for_an_empty_list() -> None:
    tolerant = batch(tolerate={"count": 2})
    outcome = tolerant.run(rows=[1])
    assert isinstance(outcome, Split)
    assert outcome.tolerate == {"count": 2}
    empty = tolerant.run(rows=[], output=[])
    assert empty == Continue({"rows": [], "output": [], "errors": []})
    assert [pointer for pointer, _ in batch(tolerate={}).problems] == ["/tolerate"]


def test_rest_is_for_a_batch_that_waits_for_some() -> None:
    assert batch(wait_for="any", rest="cancel").problems == []
    assert [at for at, _ in batch(wait_for="all", rest="cancel").problems] == ["/rest"]
