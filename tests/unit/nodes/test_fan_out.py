import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import node
from workflows.nodes.outcomes import Branches, Continue, Split


def test_one_thread_a_connected_branch_in_the_order_of_the_definition() -> None:
    branches = [{"name": "z", "next": "n1"}, {"name": "open"}, {"name": "a", "next": "n2"}]
    outcome = node("fan_out", branches=branches).run(x=1)
    assert outcome == Split(Branches(("z", "a"), ("n1", "n2")), merge=None)


def test_two_branches_can_start_at_the_same_node() -> None:
    branches = [{"name": "a", "next": "n"}, {"name": "b", "next": "n"}]
    assert node("fan_out", branches=branches).run() == Split(
        Branches(("a", "b"), ("n", "n")), merge=None
    )


@pytest.mark.parametrize("branches", [[], [{"name": "a"}, {"name": "b", "next": None}]])
def test_with_no_branch_connected_the_thread_goes_on_unchanged(branches: list[object]) -> None:
    assert node("fan_out", branches=branches, next="on").run(x=1) == Continue({"x": 1})


def test_ports_and_part_ports() -> None:
    split = node("fan_out", branches=[{"name": "a", "next": "n"}, {"name": "b"}], next="on")
    assert split.kind.ports(split.config) == {
        "next": "on",
        "on_error": None,
        "branch:a": "n",
        "branch:b": None,
    }
    assert split.kind.part_ports(split.config) == ("branch:a", "branch:b")
    assert split.kind.is_split


def test_check_wants_unique_names() -> None:
    split = node("fan_out", branches=[{"name": "a"}, {"name": "b"}, {"name": "a"}])
    assert [pointer for pointer, _ in split.problems] == ["/branches/2/name"]


def test_a_branch_has_a_name() -> None:
    with pytest.raises(ValidationError, match="name"):
        node("fan_out", branches=[{"next": "n"}])


def test_tolerance_goes_with_the_split() -> None:
    split = node("fan_out", branches=[{"name": "a", "next": "n"}], tolerate={"percent": 12.5})
    outcome = split.run()
    assert isinstance(outcome, Split)
    assert outcome.tolerate == {"percent": 12.5}


@pytest.mark.parametrize("tolerate", [{}, {"count": 1, "percent": 1}])
def test_check_wants_one_measure_of_tolerance(tolerate: dict[str, object]) -> None:
    split = node("fan_out", branches=[], tolerate=tolerate)
    assert [pointer for pointer, _ in split.problems] == ["/tolerate"]


@pytest.mark.parametrize("tolerate", [{"count": -1}, {"count": 1.5}, {"percent": 101}, 3])
def test_tolerance_is_a_number_of_branches_or_a_share(tolerate: object) -> None:
    with pytest.raises(ValidationError, match="tolerate"):
        node("fan_out", branches=[], tolerate=tolerate)
