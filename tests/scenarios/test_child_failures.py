"""Child runs that fail, are tried again, are too deep, too late, or never begin."""

from datetime import timedelta

import pytest

from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_waiting_for,
    visited,
)
from tests.support.builder import (
    activity,
    edit,
    end,
    gosub,
    switch,
    wait_event,
    workflow,
)
from tests.support.families import call, child_of, family
from workflows import services
from workflows.models import NodeExecution, Run, Suspension, Thread
from workflows.store import threads
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

FAIL = {"id": "no", "type": "fail", "code": "not_yet"}


def test_required_input_that_is_absent_fails_the_node(engine: Harness) -> None:
    run = call(workflow("sub", end()), engine, {}, input={"x": "${order.id}"})
    assert_failed(run, "input_missing", "call")
    assert not Run.objects.filter(parent=run).exists()


def test_a_failed_child_fails_the_node(engine: Harness) -> None:
    """Contract: A failed child fails the node (`on_error`, `retry` apply)."""
    child = workflow("sub", activity("pay", "test.refuse"), end())
    run = call(child, engine, {})
    assert_failed(run, "refused", "call")
    sub = child_of(run)
    assert_failed(sub, "refused", "pay")
    details = engine.result(run).error["details"]
    assert (details["run"], details["workflow"]) == (str(sub.pk), "sub")
    assert details["error"]["node"] == "pay"


def test_a_failed_child_leads_to_on_error(engine: Harness) -> None:
    engine.publish(workflow("sub", {"id": "no", "type": "fail", "code": "x", "message": "y"}))
    handler = edit("mend", got="${error.code + ' ' + error.details.error.node}")
    engine.publish(workflow("main", gosub("call", "sub", on_error="mend"), handler, end()))
    run = engine.run("main")
    assert engine.result(run).output["got"] == "x no"


def test_the_error_of_a_deep_failure_stays_small(engine: Harness) -> None:
    fail = {"id": "no", "type": "fail", "code": "deep", "message": "down here"}
    deeper = gosub("deeper", "sub", input={"n": "${n + 1}"}, next=None)
    sub = workflow("sub", switch("more", "no", deeper="n < 12"), deeper, fail)
    run = call(sub, engine, {"n": 0})
    assert_failed(run, "deep", "call")
    error = engine.result(run).error
    assert set(error["details"]["error"]["details"]) == {"run", "workflow"}
    assert len(family(run)) == 14


def test_retry_makes_a_new_child(any_order: Harness) -> None:
    flaky = workflow("sub", switch("try", "no", end="now > timestamp(from)"), end(), FAIL)
    retry = {"attempts": 3, "backoff": "PT10S", "factor": 1}
    due = any_order.clock.moment.timestamp()
    later = any_order.clock.moment.fromtimestamp(due + 15, any_order.clock.moment.tzinfo)
    run = call(flaky, any_order, {"from": later.isoformat()}, retry=retry)
    assert_completed(run)
    children = Run.objects.filter(parent=run).order_by("created_at")
    assert [child.status for child in children] == ["failed", "failed", "completed"]
    waits = Suspension.objects.filter(run=run).order_by("opened_at")
    assert [(wait.seq, wait.attempt) for wait in waits] == [(1, 1), (1, 2), (1, 3)]
    steps = NodeExecution.objects.filter(run=run, node="call").order_by("id")
    told = [(step.status, step.attempt) for step in steps]
    assert told == [("failed", 1), ("failed", 2), ("completed", 3)]
    assert_each_step_once(run)


def test_retry_gives_up_and_counts_only_the_codes_that_it_is_for(engine: Harness) -> None:
    retry = {"attempts": 2, "backoff": "PT1S"}
    run = call(workflow("sub", FAIL), engine, {}, retry=retry)
    assert_failed(run, "not_yet", "call")
    assert engine.result(run).error["attempt"] == 2
    assert Run.objects.filter(parent=run).count() == 2
    other = call(workflow("sub", FAIL), engine, {}, retry={**retry, "unless": ["not_yet"]})
    assert Run.objects.filter(parent=other).count() == 1


def test_a_retry_that_waits_survives_lost_messages(engine: Harness) -> None:
    retry = {"attempts": 3, "backoff": "PT1M"}
    engine.publish(workflow("sub", FAIL))
    engine.publish(workflow("main", gosub("call", "sub", retry=retry), end()))
    run = engine.start("main")
    for _ in range(60):
        engine.pump.step()
        engine.lose_messages()
        engine.jump(seconds=16)
    assert_failed(run, "not_yet", "call")
    assert Run.objects.filter(parent=run).count() == 3


def test_depth_is_bounded(engine: Harness) -> None:
    sub = workflow("sub", gosub("again", "sub"), end(), limits={"depth": 3})
    engine.publish(sub)
    run = engine.run("sub")
    assert_failed(run, "too_deep", "again")
    assert [each.depth for each in family(run)] == [0, 1, 2, 3]
    message = engine.result(run).error["message"]
    assert "'sub'" in message
    assert "limits.depth" in message


def test_a_depth_that_is_refused_is_not_tried_again_and_leads_to_on_error(engine: Harness) -> None:
    retry = {"attempts": 5, "backoff": "PT1S"}
    again = gosub("again", "sub", retry=retry, on_error="far", next="far")
    engine.publish(workflow("sub", again, end("far"), limits={"depth": 2}))
    run = engine.run("sub")
    assert_completed(run)
    assert len(family(run)) == 3


def test_a_child_that_refuses_its_input_fails_the_node_and_leaves_no_run(engine: Harness) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    retry = {"attempts": 3, "backoff": "PT1S"}
    child = workflow("sub", end(), input=schema)
    run = call(child, engine, {"n": "text"}, retry=retry)
    assert_failed(run, "input_invalid", "call")
    error = engine.result(run).error
    assert error["details"]["problems"][0]["pointer"] == "/n"
    assert error["attempt"] == 1
    assert not Run.objects.filter(parent=run).exists()
    assert not Suspension.objects.filter(run=run).exists()


def test_an_input_that_is_refused_after_a_transactional_activity_keeps_its_writes(
    engine: Harness,
) -> None:
    engine.publish(workflow("sub", end(), input={"required": ["x"]}))
    write = activity("write", "test.write", input={"name": "kept"})
    nodes = (write, gosub("call", "sub", on_error="end", next="end"), end(output={"e": "${error}"}))
    engine.publish(workflow("main", *nodes))
    run = engine.run("main")
    assert_completed(run)
    assert engine.result(run).output["e"]["code"] == "input_invalid"
    assert visited(run) == ["start", "write", "end"]
    assert_each_step_once(run)


def test_a_child_whose_output_is_refused_fails_the_node(engine: Harness) -> None:
    child = workflow("sub", edit("x", x=1), output={"required": ["y"]})
    run = call(child, engine, {})
    assert_failed(run, "output_invalid", "call")


def test_a_timeout_gives_up_waiting_and_cancels_the_child(any_order: Harness) -> None:
    child = workflow("sub", wait_event("ask", "never"), end())
    fields = {"timeout": "PT1H", "on_timeout": "late", "next": "end"}
    any_order.publish(child)
    nodes = (gosub("call", "sub", **fields), edit("late", late=True), end())
    any_order.publish(workflow("main", *nodes))
    run = any_order.run("main")
    assert_completed(run, {"late": True})
    any_order.drain()
    sub = child_of(run)
    sub.refresh_from_db()
    assert sub.status == "cancelled"
    assert_at_rest(sub)
    assert not any_order.result(run).has_orphans


def test_a_timeout_may_leave_the_child_alone(engine: Harness) -> None:
    child = workflow("sub", wait_event("ask", "go"), end())
    run = call(child, engine, {}, timeout="PT1H", on_cancel="abandon")
    assert_failed(run, "timeout", "call")
    engine.drain()
    sub = child_of(run)
    assert_waiting_for(sub, "ask")
    engine.send("go")
    assert_completed(sub)


def test_a_timeout_can_be_tried_again(engine: Harness) -> None:
    child = workflow("sub", wait_event("ask", "go", key="'never'"), end())
    retry = {"attempts": 2, "backoff": "PT1S"}
    run = call(child, engine, {}, timeout="PT1H", retry=retry)
    assert_failed(run, "timeout", "call")
    engine.drain()
    assert [each.status for each in Run.objects.filter(parent=run)] == ["cancelled"] * 2


def test_many_attempts_are_not_taken_for_lost_work(engine: Harness) -> None:
    retry = {"attempts": 9, "backoff": "PT1S"}
    run = call(workflow("sub", FAIL), engine, {}, retry=retry)
    assert_failed(run, "not_yet", "call")
    assert Run.objects.filter(parent=run).count() == 9


def test_a_worker_that_dies_on_the_way_uses_up_no_attempt(engine: Harness) -> None:
    retry = {"attempts": 2, "backoff": "PT1S"}
    engine.publish(workflow("sub", FAIL))
    engine.publish(workflow("main", gosub("call", "sub", retry=retry), end()))
    run = engine.start("main")
    engine.drain()
    engine.clock.move_to(engine.clock.moment + timedelta(seconds=1))
    thread = Thread.objects.get(run=run)
    for _ in range(3):  # claimed by workers of which nothing is heard any more
        assert threads.claim_thread(thread.pk, thread.seq) is not None
        engine.lose_messages()
        engine.clock.move_to(engine.clock.moment + timedelta(seconds=20))
        services.sweep()
    engine.jump(minutes=1)
    assert_failed(run, "not_yet", "call")
    waits = Suspension.objects.filter(run=run).order_by("opened_at")
    assert [wait.attempt for wait in waits] == [1, 2]
    steps = NodeExecution.objects.filter(run=run, node="call").order_by("id")
    assert [step.attempt for step in steps.filter(status="failed")] == [1, 2]
    assert steps.filter(status="lost").count() == 3
