import pytest

from tests.unit.nodes.bench import Node, node
from workflows.nodes.outcomes import Continue, Racers, Split


def race(**fields: object) -> Node:
    branches = [{"name": "a", "next": "n1"}, {"name": "open"}, {"name": "b", "next": "n2"}]
    return node("race", **{"branches": branches, "next": "on", **fields})


def test_every_connected_branch_races() -> None:
    assert race().run(x=1) == Split(Racers(("a", "b"), ("n1", "n2")), merge="output")


def test_merge_and_tolerance_go_with_the_split() -> None:
    outcome = race(merge="", tolerate={"count": 1}).run()
    assert isinstance(outcome, Split)
    assert (outcome.merge, outcome.tolerate) == (None, {"count": 1})


def test_with_nobody_to_race_the_thread_goes_on_unchanged() -> None:
    assert race(branches=[{"name": "a"}]).run(x=1) == Continue({"x": 1})


def test_ports_and_part_ports() -> None:
    split = race()
    assert split.ports == {"next": "on", "branch:a": "n1", "branch:b": "n2"}
    assert split.kind.part_ports(split.config) == ("branch:a", "branch:open", "branch:b")
    assert split.kind.is_split


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({}, ("output", "winner")),
        ({"merge": "", "winner": "first.by"}, ("first.by",)),
        ({"merge": "", "winner": ""}, ()),
    ],
)
def test_it_sets_what_the_winner_did_and_who_won(
    fields: dict[str, object], paths: tuple[str, ...]
) -> None:
    split = race(**fields)
    assert split.kind.sets(split.config) == paths
    assert split.problems == []


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"merge": "a..b"}, "/merge"),
        ({"winner": "["}, "/winner"),
        ({"tolerate": {}}, "/tolerate"),
        ({"tolerate": {"count": 1, "percent": 1}}, "/tolerate"),
        ({"branches": [{"name": "a"}, {"name": "a"}]}, "/branches/1/name"),
    ],
)
def test_check_refuses_what_makes_no_sense(fields: dict[str, object], pointer: str) -> None:
    assert [at for at, _ in race(**fields).problems] == [pointer]
