"""`release_while_suspended`: a lock is free while its thread sleeps, and held when it goes on."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from approvals.models import ApprovalRequest
from approvals.services import decide
from tests.support import locking
from tests.support.assertions import (
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_waiting_for,
    visited,
)
from tests.support.builder import activity, ask, delay, edit, end, gosub, wait_event, workflow
from tests.support.locking import (
    engines,
    going_in,
    going_out,
    in_orders,
    inside_of,
    lock,
    nobody_inside,
    stands_in_line,
    work_off,
)
from tests.support.orders import Order
from workflows import services
from workflows.models import LockClaim, Suspension
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

__all__ = ["nobody_inside"]

OTHER = inside_of(going_in(), wait_event("rest", "rested"), going_out(), name="other")


def around(*sleep: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Go in and out, sleep, and go in and out again, all under one lock."""
    return inside_of(
        going_in(), going_out(), *sleep, going_in("again"), going_out("out"),
        release_while_suspended=True, **fields,
    )  # fmt: skip


def test_it_is_free_for_others_meanwhile_and_taken_again_with_what_has_come(
    engine: Harness,
) -> None:
    """Contract: and is not held while its run is suspended if `release_while_suspended`."""
    engine.publish(around(wait_event("wait", "go", result="answer")))
    engine.publish(OTHER)
    run = stands_in_line(engine)
    assert_waiting_for(run, "wait")
    assert not LockClaim.objects.exists()
    other = stands_in_line(engine, "other")
    assert_waiting_for(other, "rest")

    services.send_event("go", data={"n": 7})
    work_off(engine)
    assert_waiting_for(engine.result(run), "wait")
    assert Suspension.objects.get(run=run, state="open").kind == "relock"
    services.send_event("rested")
    work_off(engine)
    assert_completed(engine.result(other))
    done = engine.result(run)
    assert_completed(done)
    assert done.output["answer"]["data"] == {"n": 7}
    assert visited(done).count("wait") == 1
    assert_each_step_once(done)
    assert not LockClaim.objects.exists()


@in_orders
def test_in_every_order_nobody_is_inside_with_another(orders: Sequence[Order]) -> None:
    for engine in engines(orders):
        engine.publish(around(delay("nap", "PT1M"), going_in("more"), going_out("less")))
        engine.publish(inside_of(going_in(), delay("nap", "PT1M"), going_out(), name="keeper"))
        locking.assert_all_completed(
            locking.run_all(engine, "locked", "keeper", "locked", "keeper", "locked")
        )
        assert locking.most["x"] == 1


def test_who_was_woken_comes_after_those_who_have_asked_before(engine: Harness) -> None:
    engine.publish(around(wait_event("wait", "go")))
    engine.publish(OTHER)
    run = stands_in_line(engine)
    others = [stands_in_line(engine, "other") for _ in range(2)]
    services.send_event("go")
    work_off(engine)
    services.send_event("rested")
    work_off(engine)
    assert_completed(engine.result(others[0]))
    assert_waiting_for(engine.result(others[1]), "rest")
    services.send_event("rested")
    work_off(engine)
    assert_completed(engine.result(run))


def test_an_approval_in_the_body(engine: Harness) -> None:
    User.objects.create(username="lena").groups.add(Group.objects.create(name="legal"))
    approval = {"id": "ask", "type": "approval", "to": {"groups": ["legal"]}}
    engine.publish(around(approval))
    engine.publish(OTHER)
    run, other = stands_in_line(engine), stands_in_line(engine, "other")
    assert_waiting_for(run, "ask")
    assert_waiting_for(other, "rest")
    lena = User.objects.get(username="lena")
    decide(ApprovalRequest.objects.get().pk, user=lena, decision="approve", comment="fine")
    engine.drain()
    assert engine.result(run).status == "suspended"
    services.send_event("rested")
    engine.drain()
    done = engine.result(run)
    assert_completed(done)
    assert done.output["decision"]["comment"] == "fine"


def test_a_question_whose_time_is_over_while_others_have_the_lock(engine: Harness) -> None:
    late = ask("ask", timeout="PT1M", on_timeout="again", to={"users": ["lena"]})
    engine.publish(around(late))
    engine.publish(OTHER)
    run, other = stands_in_line(engine), stands_in_line(engine, "other")
    engine.jump(minutes=2)
    assert Suspension.objects.get(run=run, state="open").kind == "relock"
    services.send_event("rested")
    engine.drain()
    assert_completed(engine.result(run))
    assert_completed(engine.result(other))


def test_a_child_run_and_retries_of_it_in_the_body(engine: Harness) -> None:
    """Each attempt falls asleep, and each wakes with the lock."""
    fails = activity("try", "test.fail_until", input={"attempt": 1}, next="enter")
    child = workflow("child", fails, going_in(), going_out(next="boom"),
        activity("boom", "test.refuse"), end())  # fmt: skip
    engine.publish(child)
    retry = {"attempts": 3, "backoff": "PT1M"}
    engine.publish(around(gosub("sub", "child", retry=retry, on_error="again")))
    run = engine.run("locked")
    assert_completed(run)
    kinds = Suspension.objects.filter(run=run).order_by("opened_at", "id")
    assert sorted(kinds.values_list("kind", "attempt")) == [
        ("child", 1), ("child", 2), ("child", 3), ("lock", 1),
        ("relock", 1), ("relock", 2), ("relock", 3),
    ]  # fmt: skip
    assert_each_step_once(run)
    assert list(locking.entered) == [None] * 5


def test_a_lock_inside_is_kept_while_the_one_around_it_is_taken_again(engine: Harness) -> None:
    inner = lock("inner", "y", body="hold", next=None)
    engine.publish(
        inside_of(inner, going_in("hold", next="hold2"), going_in("hold2", "y", next="leave"),
        going_out(next="leave2"), going_out("leave2", "y", next=None),
        release_while_suspended=True)
    )  # fmt: skip
    engine.publish(OTHER)
    engine.publish(inside_of(wait_event("rest", "y"), lock="y", name="why"))
    why, run = stands_in_line(engine, "why"), stands_in_line(engine)
    assert_waiting_for(run, "inner")
    other = stands_in_line(engine, "other")
    services.send_event("y")
    work_off(engine)
    assert_completed(engine.result(why))
    claims = LockClaim.objects.filter(run=run).order_by("name").values_list("name", "state")
    assert list(claims) == [("x", "waiting"), ("y", "held")]
    services.send_event("rested")
    work_off(engine)
    assert_completed(engine.result(run))
    assert_completed(engine.result(other))
    assert locking.most == {"x": 1, "y": 1}


def test_two_locks_are_taken_again_together(engine: Harness) -> None:
    inner = lock("inner", ["y", "z"], body="wait", release_while_suspended=True, next=None)
    engine.publish(
        inside_of(inner, wait_event("wait", "go"), edit("hold"), release_while_suspended=True)
    )
    run = stands_in_line(engine)
    assert not LockClaim.objects.exists()
    engine.publish(inside_of(wait_event("rest", "y"), lock="y", name="why"))
    stands_in_line(engine, "why")
    services.send_event("go")
    work_off(engine)
    claims = LockClaim.objects.filter(run=run).order_by("name").values_list("name", "state")
    assert list(claims) == [("x", "held"), ("y", "waiting"), ("z", "held")]
    services.send_event("y")
    work_off(engine)
    assert_completed(engine.result(run))


def test_who_waits_to_have_it_again_can_be_cancelled(engine: Harness) -> None:
    engine.publish(around(wait_event("wait", "go")))
    engine.publish(OTHER)
    run, other = stands_in_line(engine), stands_in_line(engine, "other")
    services.send_event("go")
    work_off(engine)
    services.cancel(run.pk)
    work_off(engine)
    services.send_event("rested")
    work_off(engine)
    assert_completed(engine.result(other))
    assert not LockClaim.objects.exists()


def test_in_a_cycle_who_has_asked_first_for_the_first_time_is_older(engine: Harness) -> None:
    """A thread that was to have its lock again had it before: another gives up."""
    inner = lock("inner", "y", body="wait", release_while_suspended=True, next=None)
    engine.publish(inside_of(inner, wait_event("wait", "go"), edit("hold"), name="first"))
    nested = lock("inner", "x", body="hold", next=None)
    engine.publish(inside_of(nested, edit("hold"), lock="y", name="second"))
    first, second = stands_in_line(engine, "first"), stands_in_line(engine, "second")
    assert_waiting_for(second, "inner")
    services.send_event("go")
    work_off(engine)
    assert_failed(engine.result(second), "lock_cycle")
    assert_completed(engine.result(first))


def test_without_the_word_a_sleeper_keeps_its_lock(engine: Harness) -> None:
    engine.publish(inside_of(wait_event("wait", "go")))
    engine.publish(OTHER)
    stands_in_line(engine)
    assert_waiting_for(stands_in_line(engine, "other"), "lock")
