"""A cancel that is asked to compensate: everything stops, is undone, and the run is cancelled."""

import pytest

from tests.support.activities import ledger
from tests.support.assertions import assert_at_rest, assert_failed
from tests.support.builder import activity, delay, end, fan_in, fan_out, gosub, wait_event, workflow
from tests.support.families import child_of, family
from tests.support.orders import ORDERS, engine_in
from tests.support.undoing import assert_all_undone, compensate, do, forget, undone
from workflows import services
from workflows.models import Run, Thread
from workflows.testing import Harness
from workflows.testing.harness import VirtualClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

SAGA = workflow("saga", do("a"), do("b"), wait_event("wait", "go"), end())


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    forget()


def begun(engine: Harness, definition: dict[str, object] = SAGA) -> Run:
    """Start a run, and let it come as far as it comes."""
    engine.publish(definition)
    run = engine.start(str(definition["workflow"]))
    engine.drain()
    return engine.result(run)


def test_a_sleeping_run_is_undone_and_cancelled(engine: Harness) -> None:
    """Contract: every thread stops, waits close, compensations run if asked."""
    run = begun(engine)
    assert run.status == "suspended"
    told = services.cancel(run.pk, reason="no longer wanted", compensate=True)
    assert (told.status, told.reason) == ("running", "no longer wanted")
    assert not run.suspensions.filter(state="open").exists()
    engine.drain()
    run = engine.result(run)
    assert (run.status, run.reason, run.error) == ("cancelled", "no longer wanted", None)
    assert ledger == ["do a", "do b", "undo b", "undo a"]
    assert_all_undone(run)
    assert_at_rest(run)


def test_in_every_order_while_branches_are_under_way() -> None:
    split = fan_out("split", a="a1", b="b1", c="wait")
    steps = [do("a1", next="pause"), delay("pause", "PT5S", next="a2"), do("a2", next="join")]
    steps += [do("b1", next="b2"), do("b2", next="join"), wait_event("wait", "go", next="join")]
    definition = workflow("saga", do("z"), split, *steps, fan_in("join"), end())
    time = VirtualClock()
    for order in ORDERS:
        with engine_in(order, time) as engine:
            run = begun(engine, definition)
            services.cancel(run.pk, compensate=True)
            engine.jump(minutes=1)
            run = engine.result(run)
            assert run.status == "cancelled"
            assert sorted(undone(run)) == ["a1", "b1", "b2", "z"]
            assert_all_undone(run)
            assert_at_rest(run)
            forget()


def test_with_nothing_to_undo_it_is_cancelled_at_once(engine: Harness) -> None:
    run = begun(engine, workflow("plain", wait_event("wait", "go"), end()))
    assert services.cancel(run.pk, compensate=True).status == "cancelled"
    engine.publish(SAGA)
    not_begun = engine.start("saga")
    assert services.cancel(not_begun.pk, compensate=True).status == "cancelled"


def test_what_is_in_flight_is_not_undone(engine: Harness) -> None:
    """Its late answer is refused."""
    late = activity("late", "test.cancel_and_undo")
    late["compensate"] = {"activity": "test.undo", "input": {"what": "late"}}
    run = begun(engine, workflow("saga", do("a"), late, end()))
    assert run.status == "cancelled"
    assert undone(run) == ["a"]


def test_asked_again_it_goes_on_and_without_it_ends(engine: Harness) -> None:
    slow = do("b", undo={"what": "b", "fail": 2})
    run = begun(engine, workflow("saga", do("a"), slow, wait_event("wait", "go"), end()))
    services.cancel(run.pk, compensate=True)
    engine.drain()
    threads = Thread.objects.filter(run=run).count()
    assert services.cancel(run.pk, compensate=True).status == "running"
    assert Thread.objects.filter(run=run).count() == threads
    assert services.cancel(run.pk).status == "cancelled"
    engine.jump(minutes=1)
    assert undone(engine.result(run)) == []
    assert_at_rest(run)


def test_what_cannot_be_undone_fails_the_run(engine: Harness) -> None:
    hopeless = do("b", undo={"what": "b", "fail": 99})
    steps = [do("a"), hopeless, do("c"), wait_event("wait", "go")]
    run = begun(engine, workflow("saga", *steps, end()))
    services.cancel(run.pk, compensate=True)
    engine.jump(minutes=1)
    assert_failed(run, "still_there")
    run = engine.result(run)
    assert run.error["attempt"] == 3
    assert run.error["details"]["compensating"]["node"] == "b"
    assert undone(run) == ["c"]


def test_it_takes_over_from_a_node_that_compensates(engine: Harness) -> None:
    """What that node was about to undo is undone by the run's own thread, once."""
    slow = do("b", undo={"what": "b", "fail": 2})
    retry = {"attempts": 2, "backoff": "PT1H"}
    run = begun(engine, workflow("saga", do("a"), slow, do("c"), compensate(retry=retry), end()))
    assert undone(run) == ["c"]
    services.cancel(run.pk, compensate=True)
    engine.jump(minutes=1)
    assert engine.result(run).status == "cancelled"
    assert undone(run) == ["c", "b", "a"]
    assert_all_undone(run)


def test_children_are_cancelled_and_a_parent_is_told_at_the_end(engine: Harness) -> None:
    engine.publish(workflow("leaf", wait_event("wait", "go"), end()))
    engine.publish(workflow("saga", do("a"), gosub("call", "leaf"), end()))
    run = begun(engine, workflow("main", gosub("call", "saga", on_error="end"), end()))
    child = child_of(run)
    services.cancel(child.pk, compensate=True)
    assert engine.result(run).status == "suspended"
    engine.drain()
    assert engine.result(child).status == "cancelled"
    assert engine.result(child_of(child)).status == "cancelled"
    assert ledger == ["do a", "undo a"]
    assert engine.result(run).output["error"]["code"] == "child_cancelled"


def test_children_under_way_undo_what_they_have_done(any_order: Harness) -> None:
    """Also below a run that has nothing to undo; what goes its own way is left alone."""
    engine = any_order
    engine.publish(workflow("leaf", do("deep"), wait_event("wait", "go"), end()))
    engine.publish(workflow("middle", gosub("call", "leaf"), end()))
    left = gosub("left", "leaf", on_cancel="abandon")
    split = fan_out("split", a="one", b="left", c="slow")
    steps = [gosub("one", "middle", next="join"), left | {"next": "join"}]
    steps += [delay("slow", "PT5S", next="two"), gosub("two", "saga", next="join")]
    engine.publish(SAGA)
    run = begun(engine, workflow("main", do("top"), split, *steps, fan_in("join"), end()))
    engine.jump(seconds=5)
    services.cancel(run.pk, reason="no longer wanted", compensate=True)
    engine.drain()
    ended = {each.workflow_name: each for each in family(run) if each.ended_at is not None}
    assert {each.status for each in ended.values()} == {"cancelled"}
    assert sorted(ended) == ["leaf", "main", "middle", "saga"]
    (other,) = [each for each in family(run) if each.ended_at is None]
    assert (other.workflow_name, other.parent, undone(other)) == ("leaf", run, [])
    assert undone(ended["leaf"]) == ["deep"]
    assert undone(ended["saga"]) == ["b", "a"]
    for each in ended.values():
        assert_at_rest(each)


def test_a_child_that_undoes_is_not_stopped_by_a_second_cancel(engine: Harness) -> None:
    slow = do("slow", undo={"what": "slow", "fail": 2})
    engine.publish(workflow("saga", slow, wait_event("wait", "go"), end()))
    run = begun(engine, workflow("main", do("a"), gosub("call", "saga"), end()))
    services.cancel(run.pk, compensate=True)
    assert services.cancel(run.pk).status == "cancelled"
    engine.jump(minutes=1)
    child = engine.result(child_of(run))
    assert (child.status, undone(child)) == ("cancelled", ["slow"])
    assert undone(run) == []


def test_an_event_that_comes_too_late_wakes_nobody(engine: Harness) -> None:
    run = begun(engine)
    services.cancel(run.pk, compensate=True)
    engine.send("go")
    assert engine.result(run).status == "cancelled"
    assert_all_undone(run)
