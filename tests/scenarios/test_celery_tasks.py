"""Celery tasks that nodes send and wait for, run in process."""

from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from tests.support import celery_tasks  # noqa: F401 - registers them
from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_waiting_for,
)
from tests.support.builder import celery_task, each, edit, end, workflow
from tests.support.orders import Order, assert_output_in_every_order, engine_in
from workflows import services
from workflows.dispatch import publish
from workflows.models import NodeExecution, Run, Suspension
from workflows.selectors.waits import open_waits
from workflows.testing import Harness
from workflows.testing.harness import VirtualClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def one(task: str, **fields: Any) -> dict[str, Any]:
    return workflow("one", celery_task("call", task, **fields), end())


def begin(engine: Harness, definition: dict[str, Any], **data: Any) -> Run:
    engine.publish(definition)
    run = engine.start("one", data)
    engine.drain()
    return run


def until_sent(engine: Harness, definition: dict[str, Any], **data: Any) -> Run:
    """Go as far as the message of the task, which nobody has taken yet."""
    engine.publish(definition)
    run = engine.start("one", data)
    assert engine.pump.step()
    assert len(engine.box.messages) == 1
    return run


def attempts(run: Run) -> list[tuple[int, str]]:
    steps = NodeExecution.objects.filter(run=run, node="call").order_by("id")
    return list(steps.values_list("attempt", "status"))


def test_an_ordinary_task_is_sent_and_its_answer_taken(engine: Harness) -> None:
    """Contract: sends any existing Celery task by name to its queue and waits for its answer without holding a slot"""  # noqa: E501
    definition = one("shop.add", args=["${n}", 2], kwargs={"times": 3}, result="a.b")
    run = begin(engine, definition, n=1)
    assert_completed(run, {"n": 1, "a": {"b": 9}})
    assert_each_step_once(run)


def test_the_run_is_asleep_while_the_task_works(engine: Harness) -> None:
    """Contract: sends any existing Celery task by name to its queue and waits for its answer without holding a slot"""  # noqa: E501
    run = until_sent(engine, one("shop.echo", args=[1]))
    assert_waiting_for(run, "call")
    (wait,) = open_waits(run)
    assert (wait.what, wait.who) == ("task 'shop.echo'", "the worker that runs it")
    engine.drain()
    assert_completed(run, {"output": 1})


@pytest.mark.parametrize("value", [None, 0, "", [], {"a": [1, None, 1.5]}, "ä"])
def test_any_json_is_an_answer(engine: Harness, value: Any) -> None:
    assert_completed(
        begin(engine, one("shop.echo", args=["${v}"]), v=value), {"v": value, "output": value}
    )


def test_a_task_that_raises_fails_the_node(engine: Harness) -> None:
    run = begin(engine, one("shop.refuse"))
    assert_failed(run, "task_failed", "call")
    error = engine.result(run).error
    assert error["message"] == "ValueError: out of stock"
    assert error["details"] == {"exception": "ValueError"}


def test_on_error_takes_the_failure(engine: Harness) -> None:
    definition = workflow(
        "one",
        celery_task("call", "shop.refuse", args=["gone"], on_error="mend", next="end"),
        edit("mend", why="${error.message}"),
        end(output={"why": "${why}"}),
    )
    assert_completed(begin(engine, definition), {"why": "ValueError: gone"})


@pytest.mark.parametrize("task", ["shop.moment", "shop.unspeakable"])
def test_an_answer_that_is_not_json_fails_the_node_clearly(engine: Harness, task: str) -> None:
    run = begin(engine, one(task))
    assert_failed(run, "task_output", "call")
    assert any(word in engine.result(run).error["message"] for word in ("datetime", "set"))


def test_a_task_that_ends_its_process_fails_the_node(engine: Harness) -> None:
    assert_failed(begin(engine, one("shop.leave")), "task_failed", "call")


@pytest.mark.parametrize(
    ("how", "code"),
    [("own", "task_failed"), ("digits", "task_failed"), ("nested", "task_output")],
)
def test_whatever_a_task_ends_with_ends_no_worker_of_ours(
    engine: Harness, how: str, code: str
) -> None:
    assert_failed(begin(engine, one("shop.odd", args=[how])), code, "call")


def test_celery_s_own_retries_are_one_attempt(engine: Harness) -> None:
    run = begin(engine, one("shop.own_retry"))
    assert_completed(run, {"output": 2})
    assert attempts(run) == [(1, "completed")]


def test_an_unknown_task_fails_the_node_where_it_would_run(engine: Harness) -> None:
    run = begin(engine, one("shop.ad"))
    assert_failed(run, "task_unknown", "call")
    assert "did you mean 'shop.add'" in engine.result(run).error["message"]


def test_retry_sends_a_new_message_each_time(engine: Harness) -> None:
    retry = {"attempts": 3, "backoff": "PT1M"}
    run = begin(engine, one("shop.refuse", retry=retry))
    assert engine.result(run).status == "running"
    engine.jump(minutes=3)
    assert_failed(run, "task_failed", "call")
    assert attempts(run) == [(1, "failed"), (2, "failed"), (3, "failed")]
    inputs = NodeExecution.objects.filter(run=run, node="call").values_list("input", flat=True)
    assert list(inputs) == [{"args": [], "kwargs": {}}] * 3
    waits = Suspension.objects.filter(run=run).order_by("opened_at")
    assert list(waits.values_list("attempt", "resolved_by")) == [(n, "task") for n in (1, 2, 3)]


def test_retry_is_only_for_the_codes_that_it_names(engine: Harness) -> None:
    retry = {"attempts": 3, "backoff": "PT1M", "on": ["timeout"]}
    run = begin(engine, one("shop.refuse", retry=retry))
    assert_failed(run, "task_failed", "call")
    assert attempts(run) == [(1, "failed")]


def test_a_lost_task_ends_by_its_timeout_and_retry_sends_another(engine: Harness) -> None:
    retry = {"attempts": 2, "backoff": "PT0S"}
    run = until_sent(engine, one("shop.echo", args=[5], timeout="PT1H", retry=retry))
    assert engine.lose_messages() == 1
    engine.jump(minutes=59)
    assert_waiting_for(run, "call")
    engine.jump(minutes=1)
    assert_completed(run, {"output": 5})
    assert attempts(run) == [(1, "failed"), (2, "completed")]


def test_a_task_without_a_timeout_has_the_one_of_the_settings(engine: Harness) -> None:
    tuned = {**settings.CELERIAC, "TASK_SECONDS": 60.0}
    with override_settings(CELERIAC=tuned):
        run = begin(engine, one("shop.quiet"))
        assert_waiting_for(run, "call")
        engine.jump(seconds=59)
        assert_waiting_for(run, "call")
        engine.jump(seconds=1)
    assert_failed(run, "timeout", "call")


def test_an_answer_counts_once_and_a_late_one_is_refused(engine: Harness) -> None:
    retry = {"attempts": 2, "backoff": "PT0S"}
    run = until_sent(engine, one("shop.echo", args=[5], timeout="PT1H", retry=retry))
    first = Suspension.objects.get(run=run).pk
    engine.lose_messages()
    engine.clock.move_to(engine.next_due() or engine.clock.moment)
    services.sweep()
    assert not services.end_task(first, {"answer": "late"})
    engine.drain()
    assert_completed(run, {"output": 5})
    last = Suspension.objects.filter(run=run).latest("attempt").pk
    assert not services.end_task(last, {"answer": "again"})
    assert_completed(run, {"output": 5})


def test_the_answer_of_a_cancelled_run_s_task_is_refused(engine: Harness) -> None:
    run = until_sent(engine, one("shop.echo", args=[5]))
    services.cancel(run.pk)
    engine.drain()
    assert engine.result(run).status == "cancelled"
    assert_at_rest(run)


@pytest.mark.parametrize(
    "ending", [{}, {"error": "text"}, {"error": {"code": 7, "details": [1], "more": {"a": 1}}}]
)
def test_an_ending_of_no_known_shape_is_a_failure(engine: Harness, ending: Any) -> None:
    run = until_sent(engine, one("shop.echo", args=[5]))
    assert services.end_task(Suspension.objects.get(run=run).pk, ending)
    engine.drain()
    code = "7" if len(str(ending)) > 30 else "task_failed"
    assert_failed(run, code, "call")


def test_nothing_else_is_answered_by_a_task_s_end(engine: Harness) -> None:
    engine.publish(workflow("one", {"id": "w", "type": "wait_event", "event": "x"}, end()))
    run = engine.start("one")
    engine.drain()
    assert not services.end_task(Suspension.objects.get(run=run).pk, {"answer": 1})
    assert not services.end_task(run.pk, {"answer": 1})
    assert_waiting_for(run, "w")


def test_a_message_that_the_broker_did_not_take_is_sent_by_the_sweeper(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    send = publish.send_task

    def is_down(call: Any) -> bool:
        sent.append(call.name)
        return False

    monkeypatch.setattr(publish, "send_task", is_down)
    run = begin(engine, one("shop.echo", args=[5]))
    assert_waiting_for(run, "call")
    (wait,) = open_waits(run)
    assert wait.what == "task 'shop.echo', not sent yet"
    assert len(sent) == 2  # after the commit, and by the sweeper
    monkeypatch.setattr(publish, "send_task", send)
    engine.drain()
    assert_completed(run, {"output": 5})


def test_while_the_broker_is_down_a_sweep_tries_one_of_many(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def is_down(call: Any) -> bool:
        tried.append(call.name)
        return False

    monkeypatch.setattr(publish, "send_task", is_down)
    engine.publish(
        workflow(
            "one",
            each("m", "call", next="end"),
            celery_task("call", "shop.echo", args=["${item}"], next=None),
            end(output={"all": "${output}"}),
        )
    )
    run = engine.start("one", {"items": [1, 2, 3]})
    engine.drain()
    tried.clear()
    services.sweep()
    assert len(tried) == 1
    monkeypatch.undo()
    engine.drain()
    assert_completed(run, {"all": [1, 2, 3]})


def test_a_task_that_can_never_be_sent_keeps_no_other_from_it(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = publish.send_task

    def break_on_two(call: Any) -> bool:
        if call.args == [2]:
            raise KeyError(call.args)
        return send(call)

    monkeypatch.setattr(publish, "send_task", break_on_two)
    task = celery_task("call", "shop.echo", args=["${item}"], timeout="PT1H", next=None)
    engine.publish(
        workflow(
            "one",
            each("m", "call", next="end"),
            {**task, "on_error": "none"},
            end(output={"all": "${output}"}),
            edit("none", next=None),
        )
    )
    run = engine.start("one", {"items": [1, 2, 3]})
    engine.drain()
    assert list(Suspension.objects.filter(state="open").values_list("is_asked", flat=True)) == [
        False
    ]
    engine.jump(hours=1)
    assert_completed(run, {"all": [1, None, 3]})


def test_arguments_that_are_none_fail_the_node(engine: Harness) -> None:
    assert_failed(begin(engine, one("shop.echo", args="${v}"), v={}), "task_input", "call")


def test_tasks_in_a_map_end_in_any_order() -> None:
    definition = workflow(
        "one",
        each("m", "call", parallel=2, next="end"),
        celery_task("call", "shop.add", args=["${item}", 1], result="output", next=None),
        end(output={"all": "${output}"}),
    )
    assert_output_in_every_order(definition, {"items": [1, 2, 3, 4]}, {"all": [2, 3, 4, 5]})


@pytest.mark.slow
@pytest.mark.long
def test_fifty_orders_lose_and_double_no_answer(transactional_db: None) -> None:
    retry = {"attempts": 2, "backoff": "PT1S"}
    definition = workflow(
        "one",
        each("m", "call", next="end"),
        celery_task(
            "call", "shop.add", args=["${item}", 1], timeout="PT1M", retry=retry, next=None
        ),
        end(output={"all": "${output}"}),
    )
    time = VirtualClock()  # goes on from order to order: they share the database
    for seed in range(50):
        with engine_in(Order(seed, is_doubled=seed % 2 == 0), time) as engine:
            engine.publish(definition)
            run = engine.start("one", {"items": [1, 2, 3]})
            for _ in range(seed % 7):
                engine.pump.step()
            if seed % 3 == 0:
                engine.lose_messages()
            engine.jump(minutes=2)
            assert_completed(run, {"all": [2, 3, 4]})
            assert_each_step_once(run)
