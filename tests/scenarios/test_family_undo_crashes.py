"""A family that is cancelled with undo, and workers that die before each of its commits."""

from unittest.mock import patch

import pytest

from tests.support.assertions import assert_at_rest
from tests.support.builder import ask, delay, each, end, fan_in, fan_out, gosub, race, workflow
from tests.support.families import family
from tests.support.invariants import assert_invariants
from tests.support.undoing import assert_newest_first, compensated, do, forget
from workflows import services
from workflows.models import NodeExecution, Run
from workflows.services import after
from workflows.testing import Harness, crash_everywhere

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

LEAF = workflow(
    "leaf", do("deep", undo={"what": "deep", "fail": 1}), ask("ask", to={"groups": ["all"]}), end()
)
MIDDLE = workflow("middle", do("one"), do("two"), gosub("call", "leaf"), end())
MAIN = workflow(
    "main",
    do("top"),
    fan_out("split", many="many", first="first"),
    each("many", "child", parallel=1, next="join"),
    gosub("child", "middle", next=None),
    race("first", quick="pause", slow="left", next="join"),
    delay("pause", "P1D", next=None),
    gosub("left", "middle", next=None),
    fan_in("join"),
    end(),
)


def assert_undone(run: Run) -> None:
    """Everything that has finished was undone, once."""
    finished = NodeExecution.objects.filter(run=run, compensation__isnull=False)
    steps = [step for _, step in compensated(run)]
    assert sorted(steps) == sorted(finished.values_list("pk", flat=True))
    assert_newest_first(run)


def tell(engine: Harness) -> None:
    """The process that cancels is gone after its commit: the sweeper finds the children."""
    forget()
    for definition in (LEAF, MIDDLE, MAIN):
        engine.publish(definition)
    run = engine.start("main", {"items": [1, 2]})
    engine.jump(minutes=2)
    assert len(family(run)) == 5
    with patch.object(after, "stop_children", lambda _parents: 0):
        services.cancel(run.pk, compensate=True)
    engine.jump(minutes=10)
    for each_run in family(run):
        assert each_run.status == "cancelled"
        assert not each_run.has_orphans
        assert_undone(each_run)
        assert_at_rest(each_run)
    assert_invariants()


def test_a_family_is_undone_whatever_worker_dies() -> None:
    assert crash_everywhere(tell, seed=1) > 20
