"""Patterns 12 to 15, 34 to 36: several instances of a task."""

import pytest

from tests.support.assertions import assert_completed, assert_waiting_for
from tests.support.patterns import in_every_order, times, waiting
from workflows.models import Run
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_wcp_12_multiple_instances_without_synchronization() -> None:
    """The run is over while all its instances are under way; each ends by itself."""
    for engine, name in in_every_order(12):
        run = engine.start(name, {"count": 3})
        engine.drain()
        assert_completed(run, {"begun": 3})
        instances = list(Run.objects.filter(parent=run).order_by("created_at"))
        assert sorted(one.input["number"] for one in instances) == [0, 1, 2]
        assert waiting(run) == ["work"] * 3
        engine.send("worked", key="1")
        ended = [one.input["number"] for one in map(engine.result, instances) if one.ended_at]
        assert ended == [1]


def test_wcp_13_multiple_instances_with_a_priori_design_time_knowledge() -> None:
    """Three instances, as the document says; what follows begins once, after all of them."""
    for engine, name in in_every_order(13):
        run = engine.start(name)
        engine.drain()
        assert waiting(run) == ["review"] * 3
        for reviewer in ("cyd", "ann", "bob"):
            assert times(run, "decide") == 0
            engine.send("reviewed", key=reviewer, data=f"{reviewer} says yes")
        assert_completed(run, {"said": ["ann says yes", "bob says yes", "cyd says yes"]})


@pytest.mark.parametrize("count", [1, 2, 5])
def test_wcp_14_multiple_instances_with_a_priori_run_time_knowledge(count: int) -> None:
    """As many instances as the list has; what follows begins once, after all of them."""
    for engine, name in in_every_order(14):
        run = engine.start(name, {"lines": list(range(count))})
        engine.drain()
        assert waiting(run) == ["pick"] * count
        for line in reversed(range(count)):
            assert "pack" not in waiting(run)
            engine.send("picked", key=str(line))
        assert waiting(run) == ["pack"]
        assert times(run, "pick") == count
        engine.send("packed")
        assert_completed(run)


def test_wcp_15_multiple_instances_without_a_priori_run_time_knowledge() -> None:
    """Instances are begun while others are under way and over; all that were begun are awaited."""
    for engine, name in in_every_order(15):
        run = engine.start(name)
        engine.drain()
        tell(engine, run, what="begin", name="a")
        tell(engine, run, what="begin", name="b")
        assert waiting(run) == ["message", "work", "work"]
        engine.send("worked", key="b")
        tell(engine, run, what="begin", name="c")
        assert waiting(run) == ["message", "work", "work"]
        engine.send("worked", key="a")
        engine.send("worked", key="c")
        assert waiting(run) == ["message"]  # none is under way, and still more may come
        tell(engine, run, what="begin", name="d")
        tell(engine, run, what="close")
        assert waiting(run) == ["message", "work"]
        engine.send("worked", key="d")
        assert_completed(run, {"instances": 4})


def tell(engine: Harness, run: Run, **data: object) -> None:
    engine.send("instances", key=str(run.pk), data=data)


def test_wcp_34_static_partial_join_for_multiple_instances() -> None:
    """Two of four go on, with their results; the others finish their work to no effect."""
    for engine, name in in_every_order(34):
        run = engine.start(name, {"sellers": ["a", "b", "c", "d"]})
        engine.drain()
        engine.send("quoted", key="d", data=40)
        assert waiting(run) == ["ask"] * 3
        engine.send("quoted", key="b", data=20)
        assert waiting(run) == ["ask", "ask", "choose"]
        engine.send("quoted", key="a", data=10)
        assert times(run, "thank") == 3
        engine.send("quoted", key="c", data=30)
        assert_waiting_for(run, "choose")
        engine.send("chosen")
        assert_completed(run, {"quotes": [None, 20, None, 40]})
        assert (times(run, "quotes"), times(run, "thank")) == (1, 4)


def test_wcp_35_cancelling_partial_join_for_multiple_instances() -> None:
    """Two of four go on, and the others are withdrawn at that moment."""
    for engine, name in in_every_order(35):
        run = engine.start(name, {"sellers": ["a", "b", "c", "d"]})
        engine.drain()
        engine.send("quoted", key="c", data=30)
        engine.send("quoted", key="a", data=10)
        assert_completed(run, {"quotes": [10, None, 30, None]})
        assert engine.send("quoted", key="b").woke == ()
        assert (times(run, "quotes"), times(run, "ask")) == (1, 2)


def test_wcp_36_dynamic_partial_join_for_multiple_instances() -> None:
    """The condition is looked at with every result, more instances come, the rest goes on."""
    for engine, name in in_every_order(36):
        run = engine.start(name)
        engine.drain()
        for seller in ("a", "b", "c"):
            tell(engine, run, what="begin", name=seller)
        engine.send("worked", key="a", data=300)
        engine.send("worked", key="b", data=200)
        assert not engine.result(run).ended_at  # two, but none below a hundred
        tell(engine, run, what="begin", name="d")
        engine.send("worked", key="d", data=90)
        assert_completed(run, {"prices": [300, 200, 90]})
        assert waiting(run) == ["work"]
        engine.send("worked", key="c", data=10)
        assert waiting(run) == []
        assert Run.objects.filter(parent=run, status="completed").count() == 4
