from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import Node, node
from workflows.nodes.outcomes import Continue, Fail, Items, Split


def mapped(**fields: Any) -> Node:
    return node("map", **{"items": "rows", "process": "work", "next": "on", **fields})


def test_one_thread_an_item() -> None:
    outcome = mapped().run(rows=["a", "b", "c"])
    assert outcome == Split(Items("work", "rows", "item", 3, parallel=0), merge="output")


def test_ten_thousand_items() -> None:
    outcome = mapped(parallel=50).run(rows=list(range(10_000)))
    assert outcome == Split(Items("work", "rows", "item", 10_000, parallel=50), merge="output")


def test_as_names_the_item_and_the_rest_goes_with_the_split() -> None:
    outcome = mapped(as_="package", queue="slow", merge="found").run(rows=[1])
    items = Items("work", "rows", "package", 1, parallel=0)
    assert outcome == Split(items, merge="found", queue="slow")


def test_the_results_of_an_empty_list_are_an_empty_list() -> None:
    assert mapped(merge="a.b").run(rows=[], a={"c": 1}) == Continue(
        {"rows": [], "a": {"c": 1, "b": []}}
    )


def test_an_empty_list_without_merge_changes_nothing() -> None:
    assert mapped(merge="").run(rows=[]) == Continue({"rows": []})


def test_an_empty_merge_keeps_nothing() -> None:
    outcome = mapped(merge="").run(rows=[1])
    assert isinstance(outcome, Split)
    assert outcome.merge is None


@pytest.mark.parametrize("rows", [[], [1]])
def test_without_process_it_goes_straight_on(rows: list[int]) -> None:
    assert mapped(process=None).run(rows=rows) == Continue({"rows": rows})


@pytest.mark.parametrize(
    ("context", "found"), [({"rows": {}}, "object"), ({"rows": None}, "null"), ({}, "absent")]
)
def test_what_is_no_list_fails_with_path_and_type(context: dict[str, Any], found: str) -> None:
    outcome = mapped().run(**context)
    assert isinstance(outcome, Fail)
    assert outcome.code == "items_invalid"
    assert "'rows'" in outcome.message
    assert found in outcome.message


def test_a_negative_parallel_is_refused() -> None:
    with pytest.raises(ValidationError, match="parallel"):
        mapped(parallel=-1)


@pytest.mark.parametrize("name", ["", "a.b", "2nd", "with space"])
def test_as_is_one_identifier(name: str) -> None:
    with pytest.raises(ValidationError, match="as"):
        mapped(as_=name)


@pytest.mark.parametrize("name", ["index", "run", "now", "event"])
def test_check_refuses_a_name_with_another_meaning(name: str) -> None:
    assert [pointer for pointer, _ in mapped(as_=name).problems] == ["/as"]


def test_check_refuses_a_merge_that_is_no_path() -> None:
    assert [pointer for pointer, _ in mapped(merge=" ").problems] == ["/merge"]


def test_the_inner_name_of_as_is_no_field() -> None:
    with pytest.raises(ValidationError, match="item_name"):
        mapped(item_name="x")


def test_ports_and_part_ports() -> None:
    split = mapped(as_="row")
    assert split.ports == {"next": "on", "process": "work"}
    assert split.kind.part_ports(split.config) == ("process",)
    assert split.kind.is_split
    assert split.kind.sets(split.config) == ("output", "row", "index")


def test_tolerance_goes_with_the_split_and_lists_nothing_for_an_empty_list() -> None:
    tolerant = mapped(tolerate={"count": 2})
    outcome = tolerant.run(rows=[1])
    assert isinstance(outcome, Split)
    assert outcome.tolerate == {"count": 2}
    empty = tolerant.run(rows=[], output=[])
    assert empty == Continue({"rows": [], "output": [], "errors": []})
    assert [pointer for pointer, _ in mapped(tolerate={}).problems] == ["/tolerate"]


def test_rest_is_for_a_map_that_waits_for_some() -> None:
    assert mapped(wait_for=2, rest="absorb").problems == []
    assert mapped(wait_for="group.arrived > 1").problems == []
    assert [at for at, _ in mapped(rest="absorb").problems] == ["/rest"]
