"""Patterns 19, 20, 25 to 27, 43: tasks, instances, regions and cases that are cut short."""

import pytest

from tests.support.assertions import assert_at_rest, assert_completed, part_states
from tests.support.patterns import in_every_order, times, waiting
from workflows import services
from workflows.models import Run, Suspension

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_wcp_19_cancel_task() -> None:
    """The task is withdrawn, and the run goes on; a result that comes later changes nothing."""
    for event, how in (("stop", "stopped"), ("assessed", "assessed")):
        for engine, name in in_every_order(19):
            run = engine.start(name)
            engine.drain()
            engine.send(event)
            assert waiting(run) == ["after"]
            assert engine.send("stop" if event == "assessed" else "assessed").woke == ()
            engine.send("afterwards")
            assert_completed(run, {"how": how})
            assert times(run, "assess") == int(how == "assessed")


def test_wcp_20_cancel_case() -> None:
    """Everything that is under way is withdrawn, in the children too; nothing goes on."""
    for engine, name in in_every_order(20):
        run = engine.start(name)
        engine.drain()
        assert waiting(run) == ["item", "item", "sleep", "work"]
        services.cancel(run.pk)
        engine.drain()
        assert engine.result(run).status == "cancelled"
        assert Run.objects.get(parent=run).status == "cancelled"
        assert_at_rest(run)
        assert engine.send("worked", deliver="all").woke == ()
        assert engine.next_due() is None


def test_wcp_25_cancel_region() -> None:
    """What is inside of the region stops, wherever it is; what is outside goes on."""
    for engine, name in in_every_order(25):
        run = engine.start(name)
        engine.drain()
        engine.send("b")
        assert waiting(run) == ["a", "b_more", "outside", "stop"]
        engine.send("stop")
        assert waiting(run) == ["outside"]
        assert [engine.send(event).woke for event in ("a", "b.more")] == [(), ()]
        engine.send("outside")
        assert_completed(run, {"region": "stopped"})
        assert times(run, "inside") == 0


def test_wcp_25_cancel_region_that_is_not_cancelled() -> None:
    for engine, name in in_every_order(25):
        run = engine.start(name)
        engine.drain()
        for event in ("a", "b", "outside", "b.more"):
            engine.send(event)
        assert_completed(run, {"region": "finished"})


def test_wcp_26_cancel_multiple_instance_activity() -> None:
    """Instances that are under way stop, and what was done stays done."""
    for engine, name in in_every_order(26):
        run = engine.start(name, {"lines": ["a", "b", "c"]})
        engine.drain()
        engine.send("picked", key="b")
        engine.send("stop")
        assert_completed(run, {"how": "stopped"})
        assert part_states(run, "picking") == ["cancelled", "ended", "cancelled"]
        assert times(run, "pick") == 1


def test_wcp_27_complete_multiple_instance_activity() -> None:
    """What is under way is withdrawn, and the run goes on with the results that there are."""
    for engine, name in in_every_order(27):
        run = engine.start(name, {"reviewers": ["ann", "bob", "cyd", "dan"]})
        engine.drain()
        engine.send("reviewed", key="dan", data="fine")
        engine.send("reviewed", key="bob", data="good")
        assert not engine.result(run).ended_at
        engine.send("enough", deliver="all")
        assert_completed(run, {"said": [None, "good", None, "fine"]})
        asked = Suspension.objects.filter(run=run, node="ask").order_by("event_key")
        assert [wait.state for wait in asked] == ["closed", "resolved", "closed", "resolved"]


def test_wcp_43_explicit_termination() -> None:
    """The run is over at the `end` that says so, whatever else was under way."""
    for engine, name in in_every_order(43):
        run = engine.start(name)
        engine.drain()
        assert waiting(run) == ["give_up", "look", "look"]
        engine.send("looked", key="cellar", data=True)
        assert_completed(run, {"found": "cellar"})
        assert_at_rest(run)
        assert times(run, "nothing") == 0
