from datetime import timedelta

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import node
from workflows.definition.model import RetryPolicy
from workflows.errors import ExpressionError
from workflows.nodes.outcomes import Continue, Suspend
from workflows.nodes.suspensions import ActivityCall, Resolution


def test_it_asks_for_the_call_with_its_rendered_input() -> None:
    refund = node("activity", activity="shop.refund", input={"order": "${order.id}", "n": [1]})
    assert refund.run(order={"id": 7}) == Suspend(
        ActivityCall("shop.refund", {"order": 7, "n": [1]}), input={"order": 7, "n": [1]}
    )


def test_without_input_the_activity_gets_an_empty_object() -> None:
    assert node("activity", activity="a").run(x=1) == Suspend(ActivityCall("a", {}), input={})


def test_queue_timeout_and_attempts_go_with_the_call() -> None:
    work = node(
        "activity", activity="a", queue="slow", timeout="PT30S", retry={"attempts": 5}, priority=2
    )
    expected = ActivityCall("a", {}, queue="slow", attempts=5, timeout=timedelta(seconds=30))
    assert work.run() == Suspend(expected, input={})


def test_the_retry_policy_stays_in_the_config() -> None:
    work = node("activity", activity="a", retry={"on": ["busy"], "backoff": "PT2S"})
    policy = RetryPolicy(on=("busy",), backoff=timedelta(seconds=2))
    assert work.config.model_dump()["retry"] == policy.model_dump()


def test_the_answer_is_put_at_output() -> None:
    answer = Resolution(by="activity", payload={"id": 1})
    outcome = node("activity", activity="a").resume(answer, order=7, output="old")
    assert outcome == Continue({"order": 7, "output": {"id": 1}})


def test_the_answer_is_put_at_result() -> None:
    work = node("activity", activity="a", result="order.refund")
    before = {"id": 7}
    outcome = work.resume(Resolution(by="activity", payload=None), order=before)
    assert outcome == Continue({"order": {"id": 7, "refund": None}})
    assert before == {"id": 7}
    assert work.kind.sets(work.config) == ("order.refund",)


def test_an_input_that_does_not_render_is_an_error() -> None:
    with pytest.raises(ExpressionError):
        node("activity", activity="a", input={"x": "${missing}"}).run()


def test_an_activity_needs_its_name() -> None:
    with pytest.raises(ValidationError, match="activity"):
        node("activity")
    with pytest.raises(ValidationError, match="activity"):
        node("activity", activity="")


def test_ports() -> None:
    work = node("activity", activity="a", next="b", on_error="c")
    assert work.ports == {"next": "b", "on_error": "c"}
