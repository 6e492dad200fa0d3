"""The limit of a run's time, while its children work and while they wait for people."""

import pytest
from django.contrib.auth.models import Group, User

from approvals.models import ApprovalRequest
from approvals.services import decide
from tests.support.assertions import assert_completed, assert_failed
from tests.support.builder import delay, end, gosub, wait_event, workflow
from tests.support.families import child_of
from workflows.testing import Harness

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

ASK = {"id": "ask", "type": "approval", "to": {"groups": ["legal"]}}
DAY = {"timeout": "P1D"}


@pytest.fixture(autouse=True)
def lena(transactional_db: None) -> User:
    lena = User.objects.create(username="lena")
    lena.groups.add(Group.objects.create(name="legal"))
    return lena


def answer(lena: User) -> None:
    decide(ApprovalRequest.objects.get(status="open").pk, user=lena, decision="approve")


def test_a_child_s_work_counts_against_its_parent_s_limit(engine: Harness) -> None:
    engine.publish(workflow("sub", delay("nap", "P2D"), end()))
    engine.publish(workflow("main", gosub("call", "sub"), end(), limits=DAY))
    assert_failed(engine.run("main"), "run_timeout")


def test_time_in_which_a_child_waits_for_people_does_not(engine: Harness, lena: User) -> None:
    """Contract: time asleep on a person counts only against that wait's own timeout"""
    engine.publish(workflow("leaf", ASK, delay("nap", "PT20H"), end(output={})))
    engine.publish(workflow("branch", gosub("down", "leaf"), end()))
    engine.publish(workflow("main", gosub("call", "branch"), end(), limits=DAY))
    run = engine.start("main")
    engine.jump(days=5)
    assert engine.result(run).status == "suspended"
    answer(lena)
    engine.jump(hours=19)
    assert engine.result(run).status == "suspended"
    engine.jump(hours=2)
    assert_completed(run)


def test_what_is_left_of_the_limit_still_counts_afterwards(engine: Harness, lena: User) -> None:
    engine.publish(workflow("sub", delay("first", "PT10H"), ASK, delay("nap", "PT20H"), end()))
    engine.publish(workflow("main", gosub("call", "sub"), end(), limits=DAY))
    run = engine.start("main")
    engine.jump(days=5)
    answer(lena)
    engine.jump(hours=13)
    assert engine.result(run).status == "suspended"
    engine.jump(hours=2)
    assert_failed(run, "run_timeout")


def test_people_whom_a_detached_child_asks_do_not_stop_the_clock(engine: Harness) -> None:
    engine.publish(workflow("sub", ASK, end()))
    nodes = (gosub("call", "sub", mode="detach"), wait_event("ask", "never"), end())
    engine.publish(workflow("main", *nodes, limits=DAY))
    run = engine.start("main")
    engine.jump(days=2)
    assert_failed(run, "run_timeout")
    assert child_of(run).status == "suspended"


def test_people_who_were_asked_for_a_wait_that_was_given_up_count_until_then(
    engine: Harness, lena: User
) -> None:
    engine.publish(workflow("sub", ASK, end()))
    call = gosub("call", "sub", timeout="P2D", on_timeout="nap", on_cancel="abandon", next="end")
    engine.publish(workflow("main", call, delay("nap", "PT30H"), end(), limits=DAY))
    run = engine.start("main")
    engine.jump(days=2, hours=23)
    assert engine.result(run).status == "suspended"
    engine.jump(hours=2)
    assert_failed(run, "run_timeout")


def test_a_trial_of_it_ends(engine: Harness) -> None:
    engine.publish(workflow("sub", ASK, end()))
    engine.publish(workflow("main", gosub("call", "sub"), end(), limits=DAY))
    assert engine.run("main").status == "suspended"
