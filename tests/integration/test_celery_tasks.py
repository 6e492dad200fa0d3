"""Ordinary Celery tasks on real workers: answered, raised, killed, and of another code base."""

import json
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from pytest_django import Settings

from tests.support import celery_tasks, places
from tests.support.assertions import assert_completed, assert_each_step_once, assert_failed
from tests.support.builder import (
    celery_task,
    edit,
    emit,
    end,
    fan_in,
    fan_out,
    wait_event,
    workflow,
)
from tests.support.waiting import wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import NodeExecution, Run, Suspension
from workflows.selectors.runs import run_by_id
from workflows.testing.harness import Harness

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.redis,
]

MODULE = celery_tasks.__name__


def begin(name: str, task: str, **fields: Any) -> Run:
    services.publish(json.dumps(workflow(name, celery_task("call", task, **fields), end())))
    return services.start(name).run


def finish(run: Run, seconds: float = 60) -> Run:
    wait_for(lambda: run_by_id(run.pk).ended_at, seconds=seconds)
    assert_each_step_once(run)
    return run_by_id(run.pk)


def is_asleep(run: Run) -> bool:
    return run_by_id(run.pk).status == "suspended"


def test_a_task_works_on_its_own_queue_and_holds_no_slot(workers: Workers, tmp_path: Path) -> None:
    """Contract: sends any existing Celery task by name to its queue and waits for its answer without holding a slot"""  # noqa: E501
    workers.start(concurrency=1, queues="workflows")
    workers.start(concurrency=1, queues="shop", include=MODULE)
    mark = tmp_path / "mark"
    slow = begin("slow", "shop.wait_for", args=[str(mark)], queue="shop")
    wait_for(lambda: is_asleep(slow))
    # The one process of the engine's queue is free while the task takes its time.
    other = begin("other", "shop.echo", args=[[1, None, "ä"]], queue="shop")
    wait_for(lambda: is_asleep(other))
    mark.touch()
    assert_completed(finish(slow), {"output": "seen"})
    assert_completed(finish(other), {"output": [1, None, "ä"]})


def test_failures_and_answers_that_are_no_json_come_back(workers: Workers) -> None:
    workers.start(include=MODULE)
    runs = {
        task: begin(task.partition(".")[2], task)
        for task in ("shop.refuse", "shop.moment", "shop.unspeakable", "shop.own_retry")
    }
    for run in runs.values():
        finish(run)
    assert_failed(runs["shop.refuse"], "task_failed", "call")
    assert run_by_id(runs["shop.refuse"].pk).error["message"] == "ValueError: out of stock"
    assert_failed(runs["shop.moment"], "task_output", "call")
    assert_failed(runs["shop.unspeakable"], "task_output", "call")
    assert_completed(runs["shop.own_retry"], {"output": 2})


def test_a_task_whose_process_is_killed_is_run_again(workers: Workers, tmp_path: Path) -> None:
    workers.start(include=MODULE)
    mark = tmp_path / "mark"
    run = begin("killed", "shop.die_once", args=[str(mark)])
    assert_completed(finish(run), {"output": "alive"})
    assert mark.read_text() == "x\nx\n"


def test_a_task_whose_worker_is_killed_ends_by_its_timeout_and_is_tried_again(
    quick: Workers, tmp_path: Path
) -> None:
    quick.start(concurrency=1, queues="workflows")
    quick.start_beat()
    (victim,) = quick.start(concurrency=1, queues="shop", include=MODULE)
    mark = tmp_path / "mark"
    retry = {"attempts": 2, "backoff": "PT0S"}
    call: dict[str, Any] = {"args": [str(mark)], "queue": "shop", "timeout": "PT4S", "retry": retry}
    run = begin("lost", "shop.hang_once", **call)
    wait_for(mark.exists)
    victim.kill()
    quick.start(concurrency=1, queues="shop", include=MODULE)
    assert_completed(finish(run), {"output": "second"})
    steps = NodeExecution.objects.filter(run=run, node="call").order_by("id")
    assert list(steps.values_list("attempt", "status")) == [(1, "failed"), (2, "completed")]


def test_a_message_that_redis_lost_before_it_was_sent_is_sent_by_the_sweeper(
    quick: Workers, settings: Settings
) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "DISPATCHER": "inline"}
    with Harness.open() as engine:  # a process that dies between the commit and the message
        run = begin("unsent", "shop.echo", args=[5])
        assert engine.pump.step()
        engine.lose_messages()
    Suspension.objects.filter(run=run).update(is_asked=False)
    quick.start(include=MODULE)
    quick.start_beat()
    assert_completed(finish(run), {"output": 5})


def test_tasks_of_another_code_base_are_answered_too(workers: Workers) -> None:
    """Contract: sends any existing Celery task by name to its queue and waits for its answer without holding a slot"""  # noqa: E501
    workers.start(concurrency=1)
    broker = f"redis+socket://{places.REDIS_SOCKET}?virtual_host=0"
    workers.start_foreign("foreign", broker, settings.KEY_PREFIX)
    added = begin("added", "foreign.add", args=[1, 2], queue="foreign")
    refused = begin("refused", "foreign.refuse", queue="foreign")
    assert_completed(finish(added), {"output": 3})
    finish(refused)
    assert_failed(refused, "task_failed", "call")
    assert "log of its worker" in run_by_id(refused.pk).error["message"]


def test_events_of_steps_and_questions_go_their_way_on_real_workers(
    quick: Workers, redis_client: redis.Redis, django_user_model: Any
) -> None:
    definition = workflow(
        "mixed",
        fan_out("f", a="tell", b="wait", c="ask", d="then"),
        emit("tell", "ready", key="run.id", data=1, next="j"),
        wait_event("wait", "ready", key="run.id", next="keep"),
        edit("keep", output="${[event.data]}", next="j"),
        {"id": "ask", "type": "user_input", "prompt": "First?", "next": "j"},
        {"id": "then", "type": "user_input", "prompt": "Second?", "next": "j"},
        fan_in("j"),
        end(output={"said": "${output}"}),
    )
    services.publish(json.dumps(definition))
    alice = django_user_model.objects.create(username="alice")
    quick.start(include=MODULE)
    quick.start_beat()
    run = services.start("mixed", by=alice).run
    for number in (2, 3):
        asked = Suspension.objects.filter(run=run, state="open", kind="person", is_asked=True)
        wait_for(asked.exists)
        redis_client.flushall()
        services.answer_question(asked.get().pk, [number], by=alice)
    output = finish(run).output
    assert output["said"][0] == 1
    assert sorted(output["said"]) == [1, 2, 3]
