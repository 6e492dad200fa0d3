"""What becomes of children when nobody waits for them any more."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError

from approvals.models import ApprovalRequest
from tests.support.assertions import assert_at_rest, assert_completed, assert_waiting_for
from tests.support.builder import (
    activity,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    gosub,
    race,
    wait_event,
    workflow,
)
from tests.support.families import child_of, family
from tests.support.invariants import assert_invariants
from workflows import services
from workflows.engine.commands import cancel_run
from workflows.models import Run
from workflows.services import orphans
from workflows.testing import Harness

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

SLEEPER = workflow("sleeper", wait_event("ask", "go"), end())


def asleep(engine: Harness, **fields: Any) -> Run:
    """Return a run that waits for a child that waits for `go`."""
    engine.publish(SLEEPER)
    engine.publish(workflow("main", gosub("call", "sleeper", **fields), end()))
    run = engine.start("main")
    engine.drain()
    return run


def statuses(run: Run) -> list[str]:
    return [str(each_run.status) for each_run in family(run)]


def test_cancelling_a_parent_cancels_its_children(any_order: Harness) -> None:
    """Contract: Cancelling a parent cancels children (`on_cancel: cancel`, or `abandon`)."""
    run = asleep(any_order)
    services.cancel(run.pk)
    assert statuses(run) == ["cancelled", "cancelled"]
    child = child_of(run)
    assert child.reason == "the run that has started it no longer waits for it"
    for each_run in family(run):
        assert_at_rest(each_run)
        assert not each_run.has_orphans
    assert_invariants()


def test_an_abandoned_child_goes_its_own_way(any_order: Harness) -> None:
    run = asleep(any_order, on_cancel="abandon")
    services.cancel(run.pk)
    any_order.drain()
    assert statuses(run) == ["cancelled", "suspended"]
    any_order.send("go")
    assert statuses(run) == ["cancelled", "completed"]


@pytest.mark.parametrize(("policy", "status"), [("cancel", "cancelled"), ("abandon", "suspended")])
def test_a_detached_child_follows_its_policy_too(policy: str, status: str, engine: Harness) -> None:
    engine.publish(SLEEPER)
    call = gosub("call", "sleeper", mode="detach", on_cancel=policy)
    engine.publish(workflow("main", call, delay("d", "P1D"), end()))
    run = engine.start("main")
    engine.drain()
    services.cancel(run.pk)
    assert statuses(run) == ["cancelled", status]


@pytest.mark.parametrize("last", [end(), {"id": "end", "type": "fail"}])
def test_a_parent_that_ends_leaves_a_detached_child_alone(
    last: dict[str, Any], engine: Harness
) -> None:
    engine.publish(SLEEPER)
    engine.publish(workflow("main", gosub("call", "sleeper", mode="detach"), last))
    run = engine.run("main")
    engine.jump(minutes=1)
    assert statuses(run)[1] == "suspended"
    engine.send("go")
    assert statuses(run)[1] == "completed"


def test_a_tree_is_cancelled_down_to_its_leaves(engine: Harness) -> None:
    engine.publish(SLEEPER)
    split = fan_out("f", a="one", b="two", c="three")
    calls = [gosub(name, "sleeper", next="j") for name in ("one", "two", "three")]
    engine.publish(workflow("middle", split, *calls, fan_in("j"), end()))
    many = each("m", "call", next="end")
    engine.publish(workflow("main", many, gosub("call", "middle", next=None), end()))
    run = engine.start("main", {"items": [1, 2, 3]})
    engine.drain()
    assert len(family(run)) == 1 + 3 + 9
    services.cancel(run.pk)
    assert set(statuses(run)) == {"cancelled"}
    assert not Run.objects.filter(has_orphans=True).exists()
    assert_invariants()


def test_a_failed_parent_cancels_the_children_that_it_waits_for(any_order: Harness) -> None:
    any_order.publish(SLEEPER)
    split = fan_out("f", a="call", b="nap")
    nodes = (gosub("call", "sleeper", next="j"), delay("nap", "PT1M", next="no"))
    no = activity("no", "test.refuse", next="j")
    any_order.publish(workflow("main", split, *nodes, no, fan_in("j"), end()))
    run = any_order.run("main")
    any_order.drain()
    assert statuses(run) == ["failed", "cancelled"]


def test_a_parent_that_is_too_old_cancels_the_child_that_it_waits_for(engine: Harness) -> None:
    engine.publish(SLEEPER)
    limits = {"timeout": "PT1H"}
    engine.publish(workflow("main", gosub("call", "sleeper"), end(), limits=limits))
    run = engine.run("main")
    engine.drain()
    assert statuses(run) == ["failed", "cancelled"]


def test_an_end_that_terminates_cancels_the_children_of_the_others(any_order: Harness) -> None:
    any_order.publish(SLEEPER)
    split = fan_out("f", a="call", b="nap")
    nodes = (gosub("call", "sleeper", next="j"), delay("nap", "PT1M", next="stop"))
    stop = end("stop", terminate=True)
    any_order.publish(workflow("main", split, *nodes, stop, fan_in("j"), end()))
    run = any_order.run("main")
    any_order.drain()
    assert statuses(run) == ["completed", "cancelled"]


def test_the_sweeper_finds_orphans_whose_hint_was_lost(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = asleep(engine)
    with monkeypatch.context() as dead:
        dead.setattr("workflows.services.after.stop_children", lambda _parents: 0)
        services.cancel(run.pk)
    assert statuses(run) == ["cancelled", "suspended"]
    assert engine.result(run).has_orphans
    swept = services.sweep()
    assert swept is not None
    assert swept.stopped == 1
    assert statuses(run) == ["cancelled", "cancelled"]
    assert not engine.result(run).has_orphans


def test_what_takes_too_long_is_left_to_the_sweeper(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.publish(SLEEPER)
    many = each("m", "call", next="end")
    engine.publish(workflow("main", many, gosub("call", "sleeper", next=None), end()))
    run = engine.start("main", {"items": list(range(5))})
    engine.drain()
    with monkeypatch.context() as slow:
        slow.setattr(orphans, "_SECONDS", -1.0)
        services.cancel(run.pk)
        assert statuses(run) == ["cancelled", *["suspended"] * 5]
    assert engine.result(run).has_orphans
    engine.drain()
    assert statuses(run) == ["cancelled"] * 6


def test_a_child_that_was_cancelled_by_itself_fails_the_node_of_its_parent(
    any_order: Harness,
) -> None:
    any_order.publish(SLEEPER)
    handler = edit("after", code="${error.code}")
    call = gosub("call", "sleeper", on_error="after", next="after")
    any_order.publish(workflow("main", call, handler, end(output={"code": "${code}"})))
    run = any_order.start("main")
    any_order.drain()
    services.cancel(child_of(run).pk, reason="not wanted")
    any_order.drain()
    assert_completed(run, {"code": "child_cancelled"})


def test_a_child_that_was_just_accepted_is_cancelled_before_it_moves(engine: Harness) -> None:
    engine.publish(workflow("sub", activity("a", "test.echo"), end()))
    engine.publish(workflow("main", gosub("call", "sub"), end()))
    run = engine.start("main")
    assert engine.pump.step()
    assert statuses(run) == ["suspended", "pending"]
    services.cancel(run.pk)
    engine.drain()
    assert statuses(run) == ["cancelled", "cancelled"]
    assert_invariants()


def test_the_late_end_of_an_abandoned_child_wakes_nobody(engine: Harness) -> None:
    run = asleep(engine, on_cancel="abandon", timeout="PT1H", on_error="end")
    engine.jump(hours=2)
    assert_completed(run)
    child = child_of(run)
    assert_waiting_for(child, "ask")
    engine.send("go")
    assert_completed(child)
    assert_completed(run)
    assert_invariants()


def test_a_child_that_cannot_be_cancelled_does_not_keep_the_others(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.publish(SLEEPER)
    many = each("m", "call", next="end")
    engine.publish(workflow("main", many, gosub("call", "sleeper", next=None), end()))
    run = engine.start("main", {"items": [1, 2, 3]})
    engine.drain()
    real, stuck = cancel_run.apply_to_orphans, family(run)[-1].pk

    def refuse(run_ids: list[Any], *, reason: str) -> Any:
        if stuck in run_ids:
            raise DatabaseError
        return real(run_ids, reason=reason)

    with monkeypatch.context() as broken:
        broken.setattr(cancel_run, "apply_to_orphans", refuse)
        services.cancel(run.pk)
    assert sorted(statuses(run)) == ["cancelled", "cancelled", "cancelled", "suspended"]
    assert engine.result(run).has_orphans
    engine.drain()
    assert set(statuses(run)) == {"cancelled"}
    assert not engine.result(run).has_orphans


def test_children_that_ask_people_are_closed_with_what_they_ask(engine: Harness) -> None:
    group = Group.objects.create(name="legal")
    User.objects.create(username="lena").groups.add(group)
    ask = {"id": "ask", "type": "approval", "to": {"groups": ["legal"]}}
    engine.publish(workflow("sub", ask, end()))
    many = each("m", "call", next="end")
    engine.publish(workflow("main", many, gosub("call", "sub", next=None), end()))
    run = engine.start("main", {"items": [1, 2, 3]})
    engine.drain()
    assert ApprovalRequest.objects.filter(status="open").count() == 3
    services.cancel(run.pk)
    assert set(statuses(run)) == {"cancelled"}
    assert ApprovalRequest.objects.filter(status="cancelled").count() == 3


def _split(way: str) -> list[dict[str, Any]]:
    """Return a split of which one branch calls a child, and the other one ends it early."""
    call = gosub("call", "sleeper", next="j")
    if way == "race":
        return [
            race("f", a="call", b="nap", next="end"),
            {**call, "next": None},
            delay("nap", "PT1M", next=None),
        ]
    if way == "tolerate":
        split = {**fan_out("f", a="call", b="nap"), "tolerate": {"count": 0}, "on_error": "end"}
        nodes = [delay("nap", "PT1M", next="no"), activity("no", "test.refuse", next="j")]
        return [split, call, *nodes, fan_in("j")]
    nodes = [fan_out("f", a="call", b="nap"), call, delay("nap", "PT1M", next="j")]
    return [*nodes, fan_in("j", wait_for="any", rest="cancel" if way == "cancel" else "absorb")]


@pytest.mark.parametrize("way", ["race", "cancel", "tolerate"])
def test_a_group_that_is_over_early_cancels_the_children_of_its_branches(
    way: str, any_order: Harness
) -> None:
    any_order.publish(SLEEPER)
    any_order.publish(workflow("main", *_split(way), end()))
    run = any_order.run("main")
    any_order.drain()
    assert statuses(run) == ["completed", "cancelled"]
    assert_invariants()


def test_a_branch_that_is_absorbed_keeps_its_child(engine: Harness) -> None:
    engine.publish(SLEEPER)
    engine.publish(workflow("main", *_split("absorb"), delay("rest", "PT1H"), end()))
    run = engine.start("main")
    engine.jump(minutes=2)
    assert statuses(run) == ["suspended", "suspended"]
    engine.send("go")
    assert statuses(run) == ["suspended", "completed"]
    engine.jump(hours=1)
    assert_completed(run)
