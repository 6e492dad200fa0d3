"""Approvals on the real engine: asked, decided, late, cancelled. Alice starts every run."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction

from approvals.models import ApprovalRequest, Vote
from approvals.services import decide
from tests.support.assertions import visited
from tests.support.builder import activity, delay, end, fan_in, fan_out, race, workflow
from workflows import services
from workflows.errors import ConflictError
from workflows.models import Run, Suspension
from workflows.testing.harness import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

TICKET = {"type": "object", "properties": {"ticket": {"type": "string"}}, "required": ["ticket"]}


@pytest.fixture
def engine() -> Iterator[Harness]:
    with Harness.open() as harness:
        yield harness


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> dict[str, User]:
    """Lena and Liam are in legal, Sam in security; Alice is in legal, too."""
    members = {"legal": ["alice", "lena", "liam"], "security": ["sam"]}
    found: dict[str, User] = {}
    for group, names in members.items():
        made = Group.objects.create(name=group)
        for name in names:
            found[name] = User.objects.create(username=name)
            found[name].groups.add(made)
    return found


def person(name: str) -> User:
    return User.objects.get(username=name)


def refund(**fields: Any) -> dict[str, Any]:
    """A workflow that asks legal about an order; `fields` are those of its approval."""
    ask = {"id": "ask", "type": "approval", "to": {"groups": ["legal"]}, "next": "done", **fields}
    nodes = [
        {"id": "start", "type": "start", "next": "ask"},
        ask,
        {"id": "done", "type": "end"},
    ]
    ends = [fields.get(port) for port in ("on_reject", "on_timeout", "on_error")]
    nodes += [{"id": end, "type": "end"} for end in ends if end not in {None, "approve", "reject"}]
    return {"workflow": "refund", "nodes": nodes}


def parked(engine: Harness, context: dict[str, Any] | None = None, **fields: Any) -> Run:
    engine.publish(refund(**fields))
    run = engine.start("refund", context or {"order": {"id": 7}}, by=person("alice"))
    engine.drain()
    return engine.result(run)


def only_request() -> ApprovalRequest:
    return ApprovalRequest.objects.get()


def answer(engine: Harness, name: str, decision: str = "approve", **fields: Any) -> None:
    decide(only_request().pk, user=person(name), decision=decision, **fields)
    engine.drain()


def test_a_run_sleeps_on_a_request(engine: Harness) -> None:
    """Contract: The request opens in the transaction in which the thread falls asleep."""
    run = parked(engine, title="Refund order ${order.id}", show=["order"], due="P2D", form=TICKET)
    asked = only_request()
    assert run.status == "suspended"
    assert (asked.title, asked.status, asked.node) == ("Refund order 7", "open", "ask")
    assert (asked.shown, asked.groups, asked.form) == ({"order": {"id": 7}}, ["legal"], TICKET)
    assert asked.requester == person("alice")
    assert asked.due_at == Suspension.objects.get().wake_at


def test_an_approval_lets_the_run_go_on(engine: Harness) -> None:
    run = parked(engine, form=TICKET)
    answer(engine, "lena", form={"ticket": "T-1"}, comment="Fine.")
    done = engine.result(run)
    assert (done.status, done.result) == ("completed", "ok")
    told = done.output["decision"]
    assert (told["decision"], told["by"], told["group"]) == ("approved", "lena", "legal")
    assert told["form"] == {"ticket": "T-1"}
    assert done.output["order"] == {"id": 7}


def test_a_rejection_takes_its_port(engine: Harness) -> None:
    """Contract: Rejecting is an answer; without `on_reject` the run ends `blocked` with the comment."""  # noqa: E501
    run = parked(engine, on_reject="refused")
    answer(engine, "lena", "reject")
    done = engine.result(run)
    assert (done.status, done.result) == ("completed", "ok")
    assert done.output["decision"]["decision"] == "rejected"


def test_a_rejection_without_a_port_blocks_the_run(engine: Harness) -> None:
    """Contract: Rejecting is an answer; without `on_reject` the run ends `blocked` with the comment."""  # noqa: E501
    run = parked(engine)
    answer(engine, "lena", "reject", comment="Too dear.")
    done = engine.result(run)
    assert (done.status, done.result, done.reason) == ("completed", "blocked", "Too dear.")


BESIDE = {
    "branch": [fan_out("split", a="ask", b="work"), fan_in("join", next="ship")],
    "race": [race("split", a="ask", b="work", next="ship")],
}


@pytest.mark.parametrize("where", BESIDE)
def test_a_rejection_inside_of_a_split_blocks_the_run(engine: Harness, where: str) -> None:
    """Contract: Rejecting is an answer; without `on_reject` the run ends `blocked` with the comment."""  # noqa: E501
    target = "join" if where == "branch" else None
    asks = {"id": "ask", "type": "approval", "to": {"groups": ["legal"]}, "next": target}
    work = delay("work", "PT1H", next=target)
    ship = activity("ship", "test.echo")
    engine.publish(workflow("order", *BESIDE[where], asks, work, ship, end()))
    run = engine.start("order")
    engine.drain()
    answer(engine, "lena", "reject", comment="Too dear.")
    done = engine.result(run)
    assert (done.status, done.result, done.reason) == ("completed", "blocked", "Too dear.")
    assert "ship" not in visited(done)


@pytest.mark.parametrize(
    ("on_timeout", "decision"),
    [("approve", "approved"), ("reject", "rejected"), ("late", "timed_out")],
)
def test_time_runs_out(engine: Harness, on_timeout: str, decision: str) -> None:
    """Contract: `due`, `on_timeout`."""
    run = parked(engine, due="P2D", on_timeout=on_timeout, on_reject="refused")
    engine.jump(hours=47)
    assert engine.result(run).status == "suspended"
    engine.jump(hours=1)
    done = engine.result(run)
    assert done.status == "completed"
    assert done.output["decision"]["decision"] == decision
    assert (only_request().status, only_request().closed_by) == ("timed_out", "timer")
    with pytest.raises(ConflictError, match="closed by its timer"):
        answer(engine, "lena")


def test_a_timeout_without_a_port_fails_the_run(engine: Harness) -> None:
    run = parked(engine, due="P2D")
    engine.jump(days=2)
    failed = engine.result(run)
    assert (failed.status, failed.error["code"]) == ("failed", "timeout")
    assert only_request().status == "timed_out"


def test_a_decision_before_the_timer_stands(engine: Harness) -> None:
    run = parked(engine, due="P2D", on_timeout="late")
    answer(engine, "lena")
    engine.jump(days=3)
    assert engine.result(run).output["decision"]["decision"] == "approved"
    assert only_request().status == "approved"


def test_cancelling_the_run_closes_the_request(engine: Harness) -> None:
    run = parked(engine)
    services.cancel(run.pk, by=person("alice"))
    assert only_request().status == "cancelled"
    with pytest.raises(ConflictError):
        answer(engine, "lena")
    assert engine.result(run).status == "cancelled"


@pytest.mark.parametrize(
    "fields",
    [
        {"to": {"groups": ["leggal"]}},
        {"to": {"users": ["alice"]}},
        {"need": 3},
        {"to": {"users": "${order.id}"}},
    ],
)
def test_what_nobody_could_settle_fails_at_once(engine: Harness, fields: dict[str, Any]) -> None:
    """Contract: A request that nobody could settle is refused at once."""
    run = parked(engine, **fields)
    assert (run.status, run.error["code"]) == ("failed", "approval_unsettleable")
    assert not ApprovalRequest.objects.exists()
    assert not Suspension.objects.filter(state="open").exists()


def test_what_nobody_could_settle_can_be_handled(engine: Harness) -> None:
    run = parked(engine, need=3, on_error="mend")
    assert run.status == "completed"
    assert run.output["error"]["code"] == "approval_unsettleable"


def test_two_people_and_lost_messages(engine: Harness) -> None:
    run = parked(engine, need="all")
    decide(only_request().pk, user=person("lena"), decision="approve")
    engine.drain()
    assert engine.result(run).status == "suspended"
    decide(only_request().pk, user=person("liam"), decision="approve")
    engine.lose_messages()
    engine.jump(minutes=5)
    assert engine.result(run).status == "completed"


def test_a_decision_is_undone_with_the_callers_transaction(engine: Harness) -> None:
    """Contract: The decision that settles it is one transaction, all or nothing."""
    run = parked(engine)
    with transaction.atomic():
        decide(only_request().pk, user=person("lena"), decision="approve")
        transaction.set_rollback(True)
    engine.drain()
    assert (only_request().status, Vote.objects.count()) == ("open", 0)
    assert engine.result(run).status == "suspended"
    answer(engine, "lena")
    assert engine.result(run).status == "completed"


def test_the_answer_resumes_the_version_that_asked(engine: Harness) -> None:
    run = parked(engine)
    engine.publish(refund(result="other"))
    answer(engine, "lena")
    assert "decision" in engine.result(run).output


@pytest.mark.parametrize("seed", range(4))
def test_many_requests_of_one_run(seed: int) -> None:
    """Contract: Many approvals of one run may be open at once.

    A map asks legal once an item, a branch asks security; both kinds are joined.
    """
    each = {"groups": ["legal"]}
    nodes = [
        {"id": "start", "type": "start", "next": "split"},
        {
            "id": "split",
            "type": "fan_out",
            "branches": [{"name": "legal", "next": "each"}, {"name": "security", "next": "risk"}],
        },
        {
            "id": "each",
            "type": "map",
            "items": "texts",
            "as": "text",
            "process": "ask",
            "merge": "answers",
            "next": "join",
        },
        {
            "id": "ask",
            "type": "approval",
            "title": "${text}",
            "to": each,
            "result": "answers",
            "on_reject": "noted",
        },
        {"id": "noted", "type": "edit", "entries": []},
        {
            "id": "risk",
            "type": "approval",
            "to": {"groups": ["security"]},
            "result": "answers",
            "next": "join",
        },
        {"id": "join", "type": "fan_in", "merge": "answers", "next": "done"},
        {"id": "done", "type": "end"},
    ]
    with Harness.open(seed) as engine:
        engine.publish({"workflow": "review", "nodes": nodes})
        run = engine.start("review", {"texts": ["MIT", "AGPL"]}, by=person("alice"))
        engine.drain()
        assert ApprovalRequest.objects.filter(status="open").count() == 3
        for asked in ApprovalRequest.objects.all():
            who = "sam" if asked.node == "risk" else "lena"
            word = "reject" if asked.title == "AGPL" else "approve"
            decide(asked.pk, user=person(who), decision=word)
        engine.drain()
        done = engine.result(run)
        assert done.status == "completed"
        decisions = [one["decision"] for one in done.output["answers"]]
        assert decisions == ["approved", "rejected", "approved"]


def test_time_asleep_on_a_person_does_not_count_against_the_run(engine: Harness) -> None:
    definition = refund(due="P9D", on_timeout="approve", next="rest")
    definition["nodes"].insert(2, {"id": "rest", "type": "delay", "for": "PT30M", "next": "done"})
    engine.publish({**definition, "limits": {"timeout": "PT1H"}})
    run = engine.start("refund", {}, by=person("alice"))
    engine.jump(days=5)
    assert engine.result(run).status == "suspended"
    answer(engine, "lena")
    engine.jump(minutes=30)
    assert engine.result(run).status == "completed"


def test_two_people_asked_at_once_stop_the_runs_clock_once(engine: Harness) -> None:
    definition = refund()
    ask = definition["nodes"][1]
    definition["nodes"][0]["next"] = "both"
    definition["nodes"] += [
        {
            "id": "both",
            "type": "fan_out",
            "branches": [{"name": "a", "next": "ask"}, {"name": "b", "next": "other"}],
        },
        {**ask, "id": "other", "next": "met"},
        {"id": "met", "type": "fan_in", "next": "done"},
    ]
    ask["next"] = "met"
    engine.publish({**definition, "limits": {"timeout": "PT1H"}})
    run = engine.start("refund", {}, by=person("alice"))
    engine.jump(hours=2)
    for request in ApprovalRequest.objects.all():
        decide(request.pk, user=person("lena"), decision="approve")
    asleep = engine.result(run)
    assert asleep.deadline_at is not None
    assert (asleep.deadline_at - asleep.created_at).total_seconds() == 3 * 3600
