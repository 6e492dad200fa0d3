from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import Node, node
from workflows.nodes.outcomes import Continue, Fail, Suspend
from workflows.nodes.suspensions import Resolution, TaskWait


def add(**fields: Any) -> Node:
    return node("celery_task", **{"task": "shop.add", "next": "on", **fields})


def wait_of(outcome: Any) -> TaskWait:
    assert isinstance(outcome, Suspend)
    assert isinstance(outcome.wait, TaskWait)
    return outcome.wait


def test_it_waits_for_the_task_with_its_arguments() -> None:
    outcome = add(args=["${n}", 2], kwargs={"times": "${n + 1}"}).run(n=1)
    given = {"args": [1, 2], "kwargs": {"times": 2}}
    assert outcome == Suspend(TaskWait("shop.add", [1, 2], {"times": 2}), input=given)


def test_without_arguments_it_gives_none() -> None:
    assert wait_of(add().run()) == TaskWait("shop.add", [], {})


def test_the_whole_list_may_be_an_expression() -> None:
    assert wait_of(add(args="${rows}").run(rows=[1, [2]])).args == [1, [2]]


def test_queue_priority_and_timeout_go_with_it() -> None:
    wait = wait_of(add(queue="shop", priority=0, timeout="PT1H").run())
    assert (wait.queue, wait.priority, wait.timeout) == ("shop", 0, timedelta(hours=1))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"args": "${it}"}, "`args` must give a list; found: object."),
        ({"kwargs": ["${it}"]}, "`kwargs` must give an object; found: array."),
    ],
)
def test_arguments_of_another_type_fail(fields: dict[str, Any], told: str) -> None:
    assert add(**fields).run(it={"secret": 1}) == Fail("task_input", told)


@pytest.mark.parametrize("task", ["workflows.task_succeeded", "celery.chord"])
def test_tasks_of_the_engine_are_refused(task: str) -> None:
    assert add(task=task).problems[0][0] == "/task"


def test_a_task_has_a_name() -> None:
    with pytest.raises(ValidationError):
        add(task="")


def test_the_answer_lands_at_result() -> None:
    resolution = Resolution("task", {"answer": [1]})
    assert add().resume(resolution, x=1) == Continue({"x": 1, "output": [1]})
    assert add(result="a.b").resume(resolution) == Continue({"a": {"b": [1]}})


def test_an_error_fails_the_node_with_its_code() -> None:
    error = {"code": "task_failed", "message": "ValueError: x", "details": {"final": True}}
    outcome = add().resume(Resolution("task", {"error": error}))
    assert outcome == Fail("task_failed", "ValueError: x", details={"final": True})


def test_what_takes_too_long_fails_the_node() -> None:
    outcome = add().resume(Resolution("timer"))
    assert isinstance(outcome, Fail)
    assert outcome.code == "timeout"
