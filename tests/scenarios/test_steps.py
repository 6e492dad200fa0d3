"""A thread on its way: sequences, failures, retries, limits."""

from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from approvals.services import decide
from tests.support.activities import calls
from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_each_step_once,
    assert_failed,
    visited,
)
from tests.support.builder import activity, delay, edit, end, workflow
from workflows import services
from workflows.errors import (
    ConflictError,
    InputRefusedError,
    KeyReusedError,
    NotFoundError,
    ValueRefusedError,
)
from workflows.models import NodeExecution, QueueState, Run
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_activities_run_one_after_the_other(engine: Harness) -> None:
    double = {"input": {"number": "${n}"}, "result": "n"}
    engine.publish(
        workflow(
            "seq",
            activity("a", "test.double", **double),
            activity("b", "test.double", **double),
            end(),
        )
    )
    run = engine.run("seq", {"n": 3})
    assert_completed(run, {"n": 12})
    assert visited(run) == ["start", "a", "b", "end"]
    assert_each_step_once(run)


def test_the_history_tells_input_output_and_where_from(engine: Harness) -> None:
    engine.publish(workflow("seq", activity("a", "test.double", input={"number": "${n}"}), end()))
    run = engine.run("seq", {"n": 3})
    step = NodeExecution.objects.get(run=run, node="a")
    assert (step.input, step.output, step.came_from) == ({"number": 3}, {"output": 6}, "start")
    assert step.attempt == 1
    assert step.queued_at <= step.started_at <= step.ended_at


def test_a_failed_attempt_is_made_again_after_its_backoff(engine: Harness) -> None:
    """Contract: `retry`: a failed attempt is made again."""
    retry = {"attempts": 4, "backoff": "PT10S", "factor": 2}
    engine.publish(
        workflow("seq", activity("a", "test.fail_until", input={"attempt": 3}, retry=retry), end())
    )
    run = engine.run("seq")
    assert_completed(run, {"output": 3})
    steps = NodeExecution.objects.filter(run=run, node="a").order_by("attempt")
    assert [(step.attempt, step.status) for step in steps] == [
        (1, "failed"),
        (2, "failed"),
        (3, "completed"),
    ]
    assert [step.error["code"] for step in steps[:2]] == ["not_yet", "not_yet"]
    waits = [
        (after.started_at - before.ended_at).total_seconds() for before, after in pairwise(steps)
    ]
    assert waits == [10, 20]


def test_a_step_that_keeps_failing_fails_the_run(engine: Harness) -> None:
    retry = {"attempts": 3, "backoff": "PT1S"}
    engine.publish(
        workflow("seq", activity("a", "test.fail_until", input={"attempt": 9}, retry=retry), end())
    )
    run = engine.run("seq")
    assert_failed(run, "not_yet", "a")
    assert engine.result(run).error["attempt"] == 3


@pytest.mark.parametrize(
    "retry", [{"attempts": 5, "on": ["other"]}, {"attempts": 5, "unless": ["not_yet"]}]
)
def test_only_the_named_codes_are_tried_again(engine: Harness, retry: dict[str, object]) -> None:
    step = activity("a", "test.fail_until", input={"attempt": 2}, retry=retry)
    engine.publish(workflow("seq", step, end()))
    run = engine.run("seq")
    assert_failed(run, "not_yet", "a")
    assert NodeExecution.objects.filter(run=run, node="a").count() == 1


def test_a_final_error_is_not_tried_again(engine: Harness) -> None:
    engine.publish(workflow("seq", activity("a", "test.refuse", retry={"attempts": 5}), end()))
    run = engine.run("seq")
    assert_failed(run, "refused", "a")
    assert engine.result(run).error["attempt"] == 1


def test_on_error_receives_the_error(engine: Harness) -> None:
    engine.publish(
        workflow(
            "seq",
            activity("a", "test.refuse", on_error="mend", next="end"),
            edit("mend", seen="${error.code + ' at ' + error.node}", next="end"),
            end(output={"seen": "${seen}"}),
        )
    )
    assert_completed(engine.run("seq"), {"seen": "refused at a"})


def test_an_expression_that_fails_fails_its_node(engine: Harness) -> None:
    engine.publish(workflow("seq", edit("a", x="${missing.thing}"), end()))
    run = engine.run("seq", {"missing": {"secret": "s3cret"}})
    assert_failed(run, "expression_error", "a")
    assert "s3cret" not in str(engine.result(run).error)


def test_an_answer_that_is_no_json_fails_its_node(engine: Harness) -> None:
    engine.publish(workflow("seq", activity("a", "test.not_json"), end()))
    assert_failed(engine.run("seq"), "activity_output", "a")


def test_fail_ends_the_run_with_its_code(engine: Harness) -> None:
    fail = {"id": "f", "type": "fail", "code": "no_stock", "message": "none of ${what} left"}
    engine.publish(workflow("seq", fail))
    run = engine.run("seq", {"what": "tea"})
    assert_failed(run, "no_stock", "f")
    assert engine.result(run).error["message"] == "none of tea left"


def test_an_end_gives_output_result_and_reason(engine: Harness) -> None:
    engine.publish(
        workflow(
            "seq", end(output={"a.b": "${n}", "c": "${absent}"}, result="blocked", reason="n=${n}")
        )
    )
    run = engine.run("seq", {"n": 3})
    assert_completed(run, {"a": {"b": 3}}, result="blocked")
    assert engine.result(run).reason == "n=3"


def test_a_thread_without_an_end_gives_its_context(engine: Harness) -> None:
    engine.publish(workflow("seq", edit("a", x=1, next=None)))
    assert_completed(engine.run("seq", {"n": 3}), {"n": 3, "x": 1})


def test_an_output_that_does_not_fit_its_schema_fails_the_run(engine: Harness) -> None:
    schema = {"type": "object", "required": ["total"]}
    engine.publish(workflow("seq", end(), output=schema))
    assert_failed(engine.run("seq"), "output_invalid")


def test_a_delay_ends_when_it_is_due_and_not_before(engine: Harness) -> None:
    """Contract: `for`: it ends when it is due, and not before."""
    engine.publish(workflow("seq", delay("wait", "PT1H"), end()))
    run = engine.start("seq")
    engine.jump(minutes=59, seconds=59)
    assert engine.result(run).status == "suspended"
    engine.jump(seconds=1)
    assert_completed(run)


def test_a_run_older_than_its_limit_fails(engine: Harness) -> None:
    engine.publish(workflow("seq", delay("wait", "P9D"), end(), limits={"timeout": "P7D"}))
    assert_failed(engine.run("seq"), "run_timeout")


def test_a_cycle_through_a_wait_is_stopped_by_the_node_limit(engine: Harness) -> None:
    engine.publish(
        workflow(
            "seq", edit("a", x=1), delay("wait", "PT1S", next="a"), limits={"node_executions": 20}
        )
    )
    assert_failed(engine.run("seq"), "too_many_nodes")


def test_a_transactional_activity_writes_with_its_step(engine: Harness) -> None:
    """Contract: `transactional=True`: its writes and the thread's step commit together."""
    engine.publish(workflow("seq", activity("a", "test.write", input={"name": "kept"}), end()))
    assert_completed(engine.run("seq"), {"output": "kept"})
    assert QueueState.objects.filter(name="kept").count() == 1


def test_a_failed_transactional_activity_leaves_nothing(engine: Harness) -> None:
    """Contract: `transactional=True`: its writes and the thread's step commit together."""
    step = activity("a", "test.write", input={"name": "gone", "fail": True})
    engine.publish(workflow("seq", step, end()))
    assert_failed(engine.run("seq"), "after_write", "a")
    assert not QueueState.objects.filter(name="gone").exists()


def test_a_cancelled_run_stops_and_refuses_late_messages(engine: Harness) -> None:
    engine.publish(workflow("seq", activity("a", "test.count"), end()))
    run = engine.start("seq")
    services.cancel(run.pk, reason="a mistake")
    engine.drain()
    assert engine.result(run).status == "cancelled"
    assert engine.result(run).reason == "a mistake"
    assert not calls
    assert_at_rest(run)
    with pytest.raises(ConflictError):
        services.cancel(run.pk)


def test_doubled_messages_change_nothing(any_order: Harness) -> None:
    any_order.publish(
        workflow("seq", activity("a", "test.count"), activity("b", "test.count"), end())
    )
    calls.clear()
    run = any_order.start("seq")
    any_order.double_messages()
    any_order.drain()
    assert_completed(run)
    assert set(calls.values()) == {1}
    calls.clear()


def test_lost_messages_cost_time_only(engine: Harness) -> None:
    engine.publish(workflow("seq", edit("a", x=1), end()))
    run = engine.start("seq")
    assert engine.lose_messages() == 1
    engine.drain()
    assert engine.result(run).status == "pending"
    engine.jump(seconds=20)
    assert_completed(run)


def test_the_same_key_is_one_run(engine: Harness) -> None:
    engine.publish(workflow("seq", end()))
    first = services.start("seq", {"n": 1}, key="k")
    second = services.start("seq", {"n": 1}, key="k")
    assert (first.is_new, second.is_new) == (True, False)
    assert first.run.pk == second.run.pk
    with pytest.raises(KeyReusedError):
        services.start("seq", {"n": 2}, key="k")
    assert Run.objects.count() == 1


@pytest.mark.parametrize("key", [17, 0])
def test_a_number_is_no_key(engine: Harness, key: Any) -> None:
    engine.publish(workflow("seq", end()))
    refused = "The idempotency key is refused: it is int, not text"
    with pytest.raises(ValueRefusedError, match=refused):
        services.start("seq", {"n": 1}, key=key)
    with pytest.raises(ValueRefusedError, match=refused):
        services.answer_question(uuid4(), "red", by=User(pk=1), key=key)
    with pytest.raises(ValueRefusedError, match="The idempotency key is refused: it is int"):
        decide(uuid4(), user=User(pk=1), decision="approve", key=key)
    with pytest.raises(ValueRefusedError, match="The key of the event is refused: it is int"):
        services.send_event("paid", key=key)


def test_a_start_vanishes_with_the_callers_transaction(engine: Harness) -> None:
    engine.publish(workflow("seq", end()))

    def place_order() -> None:
        with transaction.atomic():
            services.start("seq")
            raise LookupError

    with pytest.raises(LookupError):
        place_order()
    assert not Run.objects.exists()
    assert not engine.box.messages


@pytest.mark.parametrize("data", [{"n": "x"}, {}, [1], "text"])
def test_input_that_does_not_fit_starts_nothing(engine: Harness, data: object) -> None:
    schema = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    engine.publish(workflow("seq", end(), input=schema))
    with pytest.raises(InputRefusedError):
        services.start("seq", data)
    assert not Run.objects.exists()


def test_an_unknown_workflow_is_named_with_the_nearest(engine: Harness) -> None:
    engine.publish(workflow("refund", end()))
    with pytest.raises(NotFoundError, match="did you mean 'refund'"):
        services.start("refnd")


def test_a_run_stays_on_its_version(engine: Harness) -> None:
    engine.publish(workflow("seq", delay("wait", "PT1H"), end(output={"v": 1})))
    run = engine.start("seq")
    engine.drain()
    assert engine.publish(workflow("seq", end(output={"v": 2}))).version.number == 2
    assert not engine.publish(workflow("seq", end(output={"v": 2}))).is_new
    engine.jump(hours=1)
    assert_completed(run, {"v": 1})
    assert_completed(engine.run("seq"), {"v": 2})


@pytest.mark.parametrize(
    ("name", "code"),
    [("test.exit", "activity_failed"), ("test.break_transaction", "transaction_broken")],
)
def test_what_an_activity_must_not_do_fails_it_by_name(
    engine: Harness, name: str, code: str
) -> None:
    engine.publish(workflow("seq", activity("a", name), end()))
    assert_failed(engine.run("seq"), code, "a")


@pytest.mark.parametrize(
    ("how", "code", "message"),
    [
        ("asyncio", "activity_failed", "CancelledError"),
        ("generator", "activity_failed", "GeneratorExit"),
        ("own", "activity_failed", "Stop: enough"),
        ("group", "activity_failed", "BaseExceptionGroup: two (2 sub-exceptions)"),
        ("wordless", "activity_failed", "WordlessError: no words"),
        ("unnamed", "activity_failed", "UnnamedError: odd"),
        ("codeless", "activity_failed", "no code"),
        ("textless", "activity_failed", "TextlessError: no"),
        ("rude", "activity_failed", "RudeError"),
    ],
)
def test_whatever_an_activity_raises_fails_it(
    engine: Harness, how: str, code: str, message: str
) -> None:
    """Else it would end its worker, and the next one with it."""
    node = activity("a", "test.give_up", input={"how": how}, retry={"attempts": 2})
    engine.publish(workflow("seq", node, end()))
    run = engine.run("seq")
    assert_failed(run, code, "a")
    assert (run.error["message"], run.error["attempt"]) == (message, 2)


def test_a_failure_behind_a_transactional_activity_does_not_undo_it(engine: Harness) -> None:
    engine.publish(
        workflow("seq", activity("a", "test.write", input={"name": "kept"}), edit("b", x="${no}"))
    )
    run = engine.run("seq")
    assert_failed(run, "expression_error", "b")
    assert visited(run) == ["start", "a"]
    assert QueueState.objects.filter(name="kept").exists()


def test_a_commit_that_is_refused_fails_the_activity(engine: Harness) -> None:
    """No worker was lost: another attempt of the same would be refused as well."""
    step = activity("a", "test.refused_commit", input={"name": "gone"}, retry={"attempts": 2})
    engine.publish(workflow("seq", {**step, "on_error": "b"}, edit("b", c="${error.code}"), end()))
    run = engine.run("seq")
    assert_completed(run)
    assert run.output["c"] == "activity_failed"
    assert run.output["error"]["message"].startswith("IntegrityError: ")
    steps = NodeExecution.objects.filter(run=run, node="a").order_by("attempt")
    assert list(steps.values_list("attempt", "status")) == [(1, "failed"), (2, "failed")]
    assert not QueueState.objects.filter(name="gone").exists()


@pytest.mark.postgres
def test_an_error_of_the_database_that_is_passed_over_fails_the_activity(engine: Harness) -> None:
    """The transaction takes nothing any more, not even the step; that loses no worker."""
    engine.publish(workflow("seq", activity("a", "test.pass_over", retry={"attempts": 2}), end()))
    run = engine.run("seq")
    assert_failed(run, "transaction_broken", "a")
    assert run.error["attempt"] == 2


@pytest.mark.parametrize("leaves", [False, True])
def test_what_fails_after_a_commit_undoes_no_step(engine: Harness, *, leaves: bool) -> None:
    step = activity("a", "test.after_commit", input={"name": "x", "leaves": leaves})
    engine.publish(workflow("seq", step, end()))
    run = engine.run("seq")
    assert_completed(run, {"output": "x"})
    assert list(NodeExecution.objects.filter(run=run, node="a").values_list("attempt")) == [(1,)]
    assert QueueState.objects.filter(name="x").exists()
