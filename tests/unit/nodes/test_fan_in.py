import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import node
from workflows.nodes.outcomes import Arrive


def test_a_thread_arrives() -> None:
    assert node("fan_in").run(x=1) == Arrive()


def test_it_is_a_join() -> None:
    join = node("fan_in", next="on")
    assert join.kind.is_join
    assert not join.kind.is_split
    assert join.ports == {"next": "on"}


def test_merge_is_output_if_left_out() -> None:
    join = node("fan_in")
    assert join.config.model_dump()["merge"] == "output"
    assert join.kind.sets(join.config) == ("output",)


def test_an_empty_merge_merges_nothing() -> None:
    join = node("fan_in", merge="")
    assert join.problems == []
    assert join.kind.sets(join.config) == ()


@pytest.mark.parametrize("merge", [" ", "a..b", "a["])
def test_check_refuses_what_is_no_path(merge: str) -> None:
    assert [pointer for pointer, _ in node("fan_in", merge=merge).problems] == ["/merge"]


@pytest.mark.parametrize("wait_for", ["all", "any", 1, 40, "group.arrived > 1"])
def test_what_it_waits_for(wait_for: object) -> None:
    join = node("fan_in", wait_for=wait_for)
    assert join.config.model_dump()["wait_for"] == wait_for
    assert join.problems == []


@pytest.mark.parametrize("wait_for", [0, -1, 1.5, True, None, ["any"], {}])
def test_what_it_cannot_wait_for(wait_for: object) -> None:
    with pytest.raises(ValidationError, match="a number of parts from 1"):
        node("fan_in", wait_for=wait_for)


def test_check_wants_no_rest_where_there_is_none() -> None:
    assert node("fan_in", wait_for=2, rest="absorb").problems == []
    assert [pointer for pointer, _ in node("fan_in", rest="cancel").problems] == ["/rest"]
