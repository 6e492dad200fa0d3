"""Joins that do not fit, in plans that the compiler of today would refuse."""

from typing import Any

import pytest

from tests.support.assertions import assert_failed
from tests.support.builder import delay, each, edit, end, fan_in, fan_out, workflow
from workflows.compiler import compile as compiling
from workflows.compiler.passes import joins
from workflows.engine import plans
from workflows.errors import DefinitionError
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def unchecked(engine: Harness, monkeypatch: pytest.MonkeyPatch) -> Harness:
    """An engine whose compiler does not look at joins."""
    others = tuple(check for check in compiling._checks() if check is not joins.check)
    monkeypatch.setattr(compiling, "_checks", lambda: others)
    plans.forget_plans()
    return engine


TWO_JOINS = workflow(
    "wrong",
    fan_out("f", a="a", b="b"),
    edit("a", next="j"),
    delay("b", "PT1S", next="k"),
    fan_in("j", next="end"),
    fan_in("k", next="end"),
    end(),
)
#: An item of a map does not belong to the split around the map.
NO_SPLIT_OF_THEIRS = workflow(
    "wrong",
    fan_out("f", m="m", b="b"),
    each("m", "part", next="j"),
    edit("part", next="j"),
    edit("b", next="j"),
    fan_in("j"),
    end(),
)


@pytest.mark.parametrize("definition", [TWO_JOINS, NO_SPLIT_OF_THEIRS])
def test_they_are_refused_at_publish(engine: Harness, definition: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError) as caught:
        engine.publish(definition)
    assert {one.code for one in caught.value.problems} == {"join_mismatch"}


def test_branches_at_different_joins_fail_the_run(unchecked: Harness) -> None:
    """Contract: Arrivals of one group at two different joins fail the run with both node names."""
    unchecked.publish(TWO_JOINS)
    run = unchecked.run("wrong")
    assert_failed(run, "wrong_join", "k")
    assert run.error["message"] == "A thread of 'f' arrived at 'k'; its parts are joined at 'j'."


def test_a_stranger_at_a_join_fails_the_run(unchecked: Harness) -> None:
    """Contract: or at a join that closes no split of theirs, fail the run with both node names."""
    unchecked.publish(NO_SPLIT_OF_THEIRS)
    run = unchecked.run("wrong", {"items": [1]})
    assert_failed(run, "wrong_join", "j")
    assert run.error["message"] in {
        f"A thread of {split!r} arrived at 'j'; its parts are not joined." for split in ("f", "m")
    }


def test_a_thread_of_no_split_at_a_join_fails_the_run(unchecked: Harness) -> None:
    unchecked.publish(workflow("wrong", fan_in("j"), end()))
    run = unchecked.run("wrong")
    assert_failed(run, "wrong_join", "j")
    assert "no split is around it" in run.error["message"]
