"""The tools for users' own tests: scripts, answers, and assertions that say what was found."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.support.builder import (
    activity,
    ask,
    celery_task,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    wait_event,
    workflow,
)
from workflows import services
from workflows.errors import DefinitionError, InputRefusedError
from workflows.models import NodeExecution, Run, Suspension, Thread, ThreadGroup
from workflows.services.waiting import wait_for
from workflows.testing import (
    Harness,
    assert_at_rest,
    assert_attempts,
    assert_cancelled,
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_history,
    assert_waiting_for,
    fails,
    returns,
)
from workflows.testing.harness import EPOCH

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def refund(**fields: Any) -> dict[str, Any]:
    retry = {"attempts": 3, "backoff": "PT1S"}
    pays = activity("pay", "shop.refund", input={"order": "${order}"}, retry=retry, **fields)
    return workflow("refund", pays, end(output={"got": "${output}"}))


# --- scripts -----------------------------------------------------------------------------------


def test_the_nth_call_takes_the_nth_answer_and_the_last_repeats(engine: Harness) -> None:
    engine.script("shop.refund", fails("busy"), returns(1), {"output": 2})
    engine.publish(refund())
    assert_completed(engine.run("refund", {"order": "a"}), {"got": 1})
    for order in ("b", "c"):
        assert_completed(engine.run("refund", {"order": order}), {"got": 2})
    assert [given["order"] for given in engine.calls("shop.refund")] == ["a", "a", "b", "c"]


def test_a_final_failure_is_not_tried_again(engine: Harness) -> None:
    engine.script("shop.refund", fails("closed", "no such account", final=True))
    engine.publish(refund())
    assert_failed(engine.run("refund", {"order": "a"}), "closed", "pay")
    assert len(engine.calls("shop.refund")) == 1


def test_a_function_stands_in_with_the_input(engine: Harness) -> None:
    engine.script("shop.refund", lambda order: order.upper())
    engine.publish(refund())
    assert_completed(engine.run("refund", {"order": "a"}), {"got": "A"})


def test_a_script_stands_in_for_a_registered_activity_until_the_harness_closes() -> None:
    double = workflow("w", activity("a", "test.double", input={"number": 2}), end())
    for expected in (7, 4):
        with Harness.open() as engine:
            if expected == 7:
                engine.script("test.double", returns(7))
            engine.publish(double)
            assert_completed(engine.run("w"), {"output": expected})


def test_a_name_with_a_node_stands_in_there_alone(engine: Harness) -> None:
    engine.script("shop.refund", returns("any"))
    engine.script("shop.refund:second", returns("here"))
    two = [activity(name, "shop.refund", result=name) for name in ("first", "second")]
    engine.publish(workflow("w", *two, end()))
    assert_completed(engine.run("w"), {"first": "any", "second": "here"})


def test_celery_tasks_are_scripted_by_their_names(engine: Harness) -> None:
    engine.script("legacy.job", fails("down"), returns(5))
    task = celery_task("job", "legacy.job", args=[1], kwargs={"a": 2}, retry={"attempts": 2})
    engine.publish(workflow("w", task, end()))
    assert_completed(engine.run("w"), {"output": 5})
    assert engine.calls("legacy.job") == [{"args": [1], "kwargs": {"a": 2}}] * 2


def test_an_activity_without_a_script_is_not_known(engine: Harness) -> None:
    engine.script("shop.refund", returns(1))
    with pytest.raises(DefinitionError, match=r"shop\.refunt"):
        engine.publish(workflow("w", activity("a", "shop.refunt"), end()))
    with pytest.raises(LookupError, match=r"'shop.pay' has no script here.*scripts: shop.refund"):
        engine.calls("shop.pay")


def test_an_answer_that_is_none_is_refused(engine: Harness) -> None:
    with pytest.raises(InputRefusedError):
        engine.script("shop.refund", {"outputs": 1})
    with pytest.raises(ValueError, match="at least one answer"):
        engine.script("shop.refund")


def test_people_answer_what_is_asked(engine: Harness) -> None:
    engine.publish(workflow("w", ask("ask", result="said"), end()))
    run = engine.start("w")
    engine.drain()
    assert_waiting_for(run, "ask")
    engine.answer(run, by=User.objects.create(username="olga", is_superuser=True), data="yes")
    assert_completed(run, {"said": "yes"})


def test_services_wait_for_the_end_of_a_run(engine: Harness) -> None:
    engine.publish(workflow("w", end()))
    run = engine.start("w")
    ended = services.wait_for(run.pk, 60, pause=lambda _seconds: engine.drain())
    assert ended.status == "completed"
    assert services.wait_for is wait_for


# --- assertions --------------------------------------------------------------------------------


@pytest.fixture
def failed(engine: Harness) -> Run:
    engine.publish(workflow("w", edit("first", n=1), activity("pay", "test.refuse"), end()))
    return engine.run("w")


@pytest.fixture
def asleep(engine: Harness) -> Run:
    two = [wait_event("paid", "payment", key="order", next="j"), delay("nap", "PT1H", next="j")]
    engine.publish(workflow("w", fan_out("f", a="paid", b="nap"), *two, fan_in("j"), end()))
    run = engine.start("w", {"order": "A-17"})
    engine.drain()
    return run


@pytest.fixture
def completed(engine: Harness) -> Run:
    engine.publish(workflow("w", edit("first", n=1), end(result="blocked", reason="too late")))
    return engine.run("w")


def test_a_run_that_failed_says_why_and_which_way_it_came(failed: Run) -> None:
    with pytest.raises(AssertionError) as said:
        assert_completed(failed)
    message = str(said.value)
    assert f"Run {failed.pk} of 'w' is not completed" in message
    assert "it failed at 'pay' with 'refused': never again" in message
    assert "way: start -> first -> pay (failed)" in message
    assert_failed(failed, "refused", "pay")


def test_another_failure_says_which(failed: Run) -> None:
    with pytest.raises(AssertionError, match="another code than 'busy': it failed at 'pay'"):
        assert_failed(failed, "busy")
    with pytest.raises(AssertionError, match="another node than 'first': it failed at 'pay'"):
        assert_failed(failed, "refused", "first")


def test_a_run_that_sleeps_says_what_for(asleep: Run) -> None:
    with pytest.raises(AssertionError) as said:
        assert_failed(asleep, "refused")
    message = str(said.value)
    assert "it is suspended" in message
    assert "'paid' waits for event 'payment' with key 'A-17'" in message
    assert "'nap' waits for timer until 2030-01-01 01:00:00" in message
    assert_waiting_for(asleep, "nap", "paid")
    with pytest.raises(AssertionError, match="waits at nap, paid, not at nap"):
        assert_waiting_for(asleep, "nap")


def test_a_run_that_has_not_moved_says_so(engine: Harness) -> None:
    engine.publish(workflow("w", end()))
    with pytest.raises(AssertionError, match="it is pending; a thread is ready at 'start'"):
        assert_completed(engine.start("w"))


def test_another_output_or_result_shows_both(completed: Run) -> None:
    with pytest.raises(AssertionError, match="completed as 'blocked' because 'too late', not as"):
        assert_completed(completed)
    with pytest.raises(AssertionError, match=r"(?s)expected: \{'n': True\}.*found:    \{'n': 1\}"):
        assert_completed(completed, {"n": True}, result="blocked")
    with pytest.raises(AssertionError, match=r"it completed as 'blocked'.*output \{'n': 1\}"):
        assert_waiting_for(completed, "first")
    assert_completed(completed, {"n": 1}, result=None)


def test_another_way_shows_both(completed: Run) -> None:
    assert_history(completed, "start", "first", "end")
    assert_history(completed, "end", "first", "start", in_order=False)
    with pytest.raises(AssertionError, match=r"(?s)expected: start -> end.*found:    start -> fir"):
        assert_history(completed, "start", "end")
    with pytest.raises(AssertionError, match="another way"):
        assert_history(completed, "end", "first", "start")
    with pytest.raises(AssertionError, match="at 'first' than failed, completed: completed"):
        assert_attempts(completed, "first", "failed", "completed")
    with pytest.raises(AssertionError, match="at 'second' than completed: there was none"):
        assert_attempts(completed, "second", "completed")


def test_a_cancelled_run_says_so(asleep: Run) -> None:
    with pytest.raises(AssertionError, match="is not cancelled"):
        assert_cancelled(asleep)
    services.cancel(asleep.pk, reason="a mistake")
    assert_cancelled(asleep)
    with pytest.raises(AssertionError, match="it was cancelled: a mistake"):
        assert_completed(asleep)


def test_what_is_left_of_a_run_is_named(asleep: Run) -> None:
    with pytest.raises(AssertionError, match="has a thread that is"):
        assert_at_rest(asleep)
    Thread.objects.filter(run=asleep).update(state="ended")
    with pytest.raises(AssertionError, match="still waits at"):
        assert_at_rest(asleep)
    Suspension.objects.filter(run=asleep).update(state="closed", over_at=EPOCH)
    with pytest.raises(AssertionError, match="a group at 'f' that is still open"):
        assert_at_rest(asleep)
    ThreadGroup.objects.filter(run=asleep).update(state="joined", joined_at=EPOCH)
    assert_at_rest(asleep)


def test_a_step_that_is_missing_is_named(engine: Harness) -> None:
    engine.publish(workflow("w", each("m", "p", next="end"), edit("p", output=1, next=None), end()))
    run = engine.run("w", {"items": [1]})
    assert_each_step_once(run)
    NodeExecution.objects.filter(run=run, node="m").delete()
    with pytest.raises(AssertionError, match=r"has lost steps \[1\]"):
        assert_each_step_once(run)


# --- publishing and time -----------------------------------------------------------------------


def test_what_is_refused_is_told_in_full_and_names_the_script(engine: Harness) -> None:
    twice = workflow("twice", activity("pay", "shop.none"), activity("more", "shop.also"), end())
    with pytest.raises(DefinitionError) as refused:
        engine.publish(twice)
    *problems, advice = refused.value.__notes__
    assert [each.partition("; ")[0] for each in problems] == [
        "unknown_activity: node 'pay': unknown activity 'shop.none'",
        "unknown_activity: node 'more': unknown activity 'shop.also'",
    ]
    assert advice.startswith("`script` before `publish`")


def test_other_problems_say_nothing_of_scripts(engine: Harness) -> None:
    with pytest.raises(DefinitionError) as refused:
        engine.publish(workflow("w", end(outptu=1)))
    assert "script" not in "".join(refused.value.__notes__)


def test_a_script_lets_code_be_published_that_is_off(engine: Harness) -> None:
    engine.script("code:work", returns({"n": 7}))
    work = {"id": "work", "type": "code", "source": "context['n'] = 1", "next": "end"}
    engine.publish(workflow("w", work, end(output={"n": "${n}"})))
    assert_completed(engine.run("w"), {"n": 7})


def test_time_never_goes_back(engine: Harness) -> None:
    with pytest.raises(ValueError, match=r"jump\(days=-1\) would go back"):
        engine.jump(days=-1)
    engine.jump(days=0)
    assert engine.clock.moment == EPOCH
