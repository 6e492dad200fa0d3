"""One function decides: who may, what settles, what is refused, what a repeat gets."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from approvals import services
from approvals.models import ApprovalRequest, Vote
from tests.integration.approvals.asking import TICKET, Ask, Clock, Engine, People
from workflows.errors import (
    ConflictError,
    InputRefusedError,
    KeyReusedError,
    NodeError,
    NotFoundError,
    PermissionRefusedError,
    ValueRefusedError,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def status_of(asked: ApprovalRequest) -> str:
    return ApprovalRequest.objects.get(pk=asked.pk).status


def test_an_approval_settles_and_wakes_the_thread(ask: Ask, people: People, engine: Engine) -> None:
    asked = ask(form=TICKET)
    result = services.decide(
        asked.pk, user=people.lena, decision="approve", comment=" Fine. ", form={"ticket": "T-1"}
    )
    told = {
        "decision": "approved",
        "by": "lena",
        "at": "2026-03-01T10:00:00Z",
        "comment": "Fine.",
        "form": {"ticket": "T-1"},
        "group": "legal",
    }
    vote = {**told, "decision": "approve"}
    assert (result.status, result.is_settled, result.is_repeat) == ("approved", True, False)
    assert engine.answers == [(str(asked.suspension_id), {**told, "votes": [vote]})]
    assert [str(run) for run in engine.locked] == [str(asked.run_id)]
    closed = ApprovalRequest.objects.get(pk=asked.pk)
    assert (closed.status, closed.closed_by) == ("approved", "lena")
    assert closed.decision == engine.answers[0][1]


def test_a_rejection_needs_no_form(ask: Ask, people: People, engine: Engine) -> None:
    asked = ask(form=TICKET)
    services.decide(asked.pk, user=people.lena, decision="reject", comment="Too dear.")
    assert status_of(asked) == "rejected"
    assert engine.answers[0][1]["comment"] == "Too dear."


@pytest.mark.parametrize(
    ("name", "rule"), [("alice", "requester"), ("sam", "not_asked"), ("charlie", "not_asked")]
)
def test_who_may_not(ask: Ask, people: People, engine: Engine, name: str, rule: str) -> None:
    asked = ask()
    with pytest.raises(PermissionRefusedError) as refused:
        services.decide(asked.pk, user=getattr(people, name), decision="approve")
    assert refused.value.details["rule"] == rule
    assert (status_of(asked), engine.answers, Vote.objects.count()) == ("open", [], 0)


def test_a_superuser_who_was_not_asked_may_not(ask: Ask, people: People) -> None:
    people.charlie.is_superuser = True
    people.charlie.save()
    with pytest.raises(PermissionRefusedError):
        services.decide(ask().pk, user=people.charlie, decision="approve")


def test_membership_counts_when_the_decision_is_made(ask: Ask, people: People) -> None:
    """Contract: Who may decide is computed when the decision is made."""
    asked = ask()
    people.lena.groups.clear()
    people.charlie.groups.add(Group.objects.get(name="legal"))
    with pytest.raises(PermissionRefusedError):
        services.decide(asked.pk, user=people.lena, decision="approve")
    assert services.decide(asked.pk, user=people.charlie, decision="approve").is_settled


def test_an_account_closed_since_the_log_in_may_not(ask: Ask, people: People) -> None:
    asked = ask()
    type(people.lena).objects.filter(pk=people.lena.pk).update(is_active=False)
    with pytest.raises(PermissionRefusedError) as refused:
        services.decide(asked.pk, user=people.lena, decision="approve")
    assert refused.value.details["rule"] == "inactive"


def test_the_author_can_let_the_requester_decide(ask: Ask, people: People) -> None:
    asked = ask(is_requester_barred=False)
    assert services.decide(asked.pk, user=people.alice, decision="approve").is_settled


def test_people_can_be_asked_by_name(ask: Ask, people: People, engine: Engine) -> None:
    asked = ask(groups=[], users=["sam"])
    services.decide(asked.pk, user=people.sam, decision="approve")
    assert engine.answers[0][1]["group"] is None


def test_two_must_agree(ask: Ask, people: People, engine: Engine, clock: Clock) -> None:
    """Contract: `need`: a number of people who must agree."""
    asked = ask(need="2")
    first = services.decide(asked.pk, user=people.lena, decision="approve", comment="One.")
    assert (first.status, engine.answers) == ("open", [])
    clock.jump(hours=1)
    second = services.decide(asked.pk, user=people.liam, decision="approve", comment="Two.")
    assert second.status == "approved"
    decision = engine.answers[0][1]
    assert decision["by"] == "liam"
    assert [vote["by"] for vote in decision["votes"]] == ["lena", "liam"]


def test_a_quorum_out_of_reach_is_a_rejection_at_once(
    ask: Ask, people: People, engine: Engine
) -> None:
    """Contract: A quorum that is out of reach is a rejection at once."""
    asked = ask(need="2")
    assert services.decide(asked.pk, user=people.lena, decision="reject").status == "rejected"
    assert engine.answers[0][1]["decision"] == "rejected"


def test_a_rejection_waits_while_others_can_still_agree(ask: Ask, people: People) -> None:
    asked = ask(groups=["legal", "security"], need="2")
    assert services.decide(asked.pk, user=people.lena, decision="reject").status == "open"
    services.decide(asked.pk, user=people.liam, decision="approve")
    assert services.decide(asked.pk, user=people.sam, decision="approve").status == "approved"


def test_one_vote_a_person(ask: Ask, people: People) -> None:
    asked = ask(need="2")
    services.decide(asked.pk, user=people.lena, decision="approve")
    with pytest.raises(ConflictError, match="'lena' has answered"):
        services.decide(asked.pk, user=people.lena, decision="reject")
    assert asked.votes.count() == 1


def test_too_late_says_who_was_first_and_when(ask: Ask, people: People, clock: Clock) -> None:
    asked = ask()
    services.decide(asked.pk, user=people.lena, decision="approve")
    clock.jump(hours=1)
    with pytest.raises(ConflictError, match=r"approved by lena at 2026-03-01T10:00:00Z") as late:
        services.decide(asked.pk, user=people.liam, decision="reject")
    assert late.value.details == {
        "status": "approved",
        "closed_by": "lena",
        "closed_at": "2026-03-01T10:00:00Z",
    }


def test_the_same_key_gets_the_first_answer(
    ask: Ask, people: People, engine: Engine, clock: Clock
) -> None:
    asked = ask(need="2")
    first = services.decide(asked.pk, user=people.lena, decision="approve", key="k1")
    clock.jump(hours=1)
    services.decide(asked.pk, user=people.liam, decision="approve", key="k2")
    again = services.decide(asked.pk, user=people.lena, decision="approve", key="k1")
    assert again.is_repeat
    assert again.as_dict() == first.as_dict()
    assert (again.status, len(engine.answers), Vote.objects.count()) == ("open", 1, 2)


def test_the_same_key_with_another_answer_is_refused(ask: Ask, people: People) -> None:
    asked = ask(need="2")
    services.decide(asked.pk, user=people.lena, decision="approve", key="k1")
    with pytest.raises(KeyReusedError):
        services.decide(asked.pk, user=people.lena, decision="reject", key="k1")


def test_a_key_is_one_persons_own(ask: Ask, people: People) -> None:
    asked = ask(need="2")
    services.decide(asked.pk, user=people.lena, decision="approve", key="k1")
    assert services.decide(asked.pk, user=people.liam, decision="approve", key="k1").is_settled


@pytest.mark.parametrize(
    ("form", "pointer"), [(None, None), ({}, None), ({"ticket": "T"}, "/ticket")]
)
def test_a_form_that_does_not_fit(ask: Ask, people: People, form: Any, pointer: str | None) -> None:
    """Contract: `form`: checked when somebody decides."""
    asked = ask(form=TICKET)
    with pytest.raises(InputRefusedError) as refused:
        services.decide(asked.pk, user=people.lena, decision="approve", form=form)
    assert refused.value.problems
    if pointer:
        assert refused.value.problems[0].pointer == pointer
    assert (status_of(asked), Vote.objects.count()) == ("open", 0)


def test_a_filled_in_form_is_checked_on_a_rejection_too(ask: Ask, people: People) -> None:
    with pytest.raises(InputRefusedError):
        services.decide(
            ask(form=TICKET).pk, user=people.lena, decision="reject", form={"ticket": "T"}
        )


@pytest.mark.parametrize(
    "answer",
    [
        {"decision": "maybe"},
        {"decision": "approve", "form": {"a": 1}},
        {"decision": "approve", "key": "k" * 201},
    ],
)
def test_answers_that_are_refused(ask: Ask, people: People, answer: dict[str, Any]) -> None:
    with pytest.raises(InputRefusedError):
        services.decide(ask().pk, user=people.lena, **answer)


@pytest.mark.parametrize(
    "answer",
    [
        {"comment": "a\x00b"},
        {"comment": "a" * 70_000},
        {"form": {"n": 2**63}},
        {"form": {"n": float("nan")}},
        {"form": {"t": "\ud800"}},
        {"key": "a\0b"},
        {"key": "\udcff"},
    ],
)
def test_values_that_are_refused(ask: Ask, people: People, answer: dict[str, Any]) -> None:
    with pytest.raises(ValueRefusedError):
        services.decide(ask().pk, user=people.lena, decision="approve", **answer)


@pytest.mark.parametrize("name", ["nothing", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_request(people: People, engine: Engine, name: str) -> None:
    with pytest.raises(NotFoundError):
        services.decide(name, user=people.lena, decision="approve")


def test_nothing_is_written_when_the_thread_cannot_be_woken(
    ask: Ask, people: People, engine: Engine
) -> None:
    """Contract: The decision that settles it is one transaction, all or nothing."""
    asked = ask()
    engine.refuse = ConflictError("The wait is over.")
    with pytest.raises(ConflictError):
        services.decide(asked.pk, user=people.lena, decision="approve")
    assert (status_of(asked), Vote.objects.count()) == ("open", 0)


def test_a_timer_closes_and_a_late_answer_hears_of_it(ask: Ask, people: People) -> None:
    asked = ask()
    services.close_request(str(asked.suspension_id), "timer")
    with pytest.raises(ConflictError, match="closed by its timer"):
        services.decide(asked.pk, user=people.lena, decision="approve")
    assert status_of(asked) == "timed_out"


def test_closing_changes_no_decided_request(ask: Ask, people: People) -> None:
    asked = ask()
    services.decide(asked.pk, user=people.lena, decision="approve")
    services.close_request(str(asked.suspension_id), "cancel")
    assert status_of(asked) == "approved"


@pytest.mark.parametrize("by", ["cancel", "fail", "complete"])
def test_a_request_ends_with_its_run(ask: Ask, by: str) -> None:
    asked = ask()
    services.close_request(str(asked.suspension_id), by)
    assert status_of(asked) == "cancelled"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"groups": ["leggal"]}, "no such group 'leggal'"),
        ({"groups": [], "users": ["nobody"]}, "no such user 'nobody'"),
        ({"groups": [], "users": ["alice"]}, "apart from the person who asks"),
        ({"groups": []}, "addressed to nobody"),
        ({"need": "3"}, "3 approvals are needed, and only 2"),
    ],
)
def test_what_nobody_could_settle_is_not_opened(
    ask: Ask, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(NodeError, match=reason) as refused:
        ask(**fields)
    assert refused.value.failure == "approval_unsettleable"
    assert not ApprovalRequest.objects.exists()


def test_an_empty_group_is_not_opened(ask: Ask, people: People) -> None:
    Group.objects.create(name="empty")
    with pytest.raises(NodeError, match="none of them has an active account"):
        ask(groups=["empty"])


@pytest.mark.parametrize("change", [{"status": "done"}, {"status": "approved"}, {"status": "open"}])
def test_the_database_refuses_impossible_rows(
    ask: Ask, clock: Clock, change: dict[str, Any]
) -> None:
    asked = ask()
    closed_at = clock.now if change["status"] == "open" else None
    with pytest.raises(IntegrityError), transaction.atomic():
        ApprovalRequest.objects.filter(pk=asked.pk).update(**change, closed_at=closed_at)


def test_the_database_refuses_a_second_vote(ask: Ask, people: People, clock: Clock) -> None:
    asked = ask(need="2")
    services.decide(asked.pk, user=people.lena, decision="approve")
    with pytest.raises(IntegrityError), transaction.atomic():
        Vote.objects.create(
            request=asked, user=people.lena, decision="approve", status_after="open", at=clock.now
        )
