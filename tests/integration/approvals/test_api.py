"""The REST API of approvals."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from approvals.models import ApprovalRequest
from tests.integration.approvals.asking import TICKET, Ask, Engine, People

pytestmark = pytest.mark.django_db

LIST = "/api/v1/approvals/"


def as_user(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def decide(user: User, asked: ApprovalRequest, key: str = "", **answer: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    url = f"{LIST}{asked.pk}/decide/"
    return as_user(user).post(url, {"decision": "approve", **answer}, "json", headers=headers)


def test_a_request_in_full(ask: Ask, people: People) -> None:
    asked = ask(form=TICKET, shown={"order.id": 7}, users=["sam"])
    body = as_user(people.lena).get(f"{LIST}{asked.pk}/").json()
    assert body["id"] == str(asked.pk)
    assert (body["status"], body["requester"], body["workflow"]) == ("open", "alice", "refund")
    assert (body["groups"], body["users"], body["may_decide"]) == (["legal"], ["sam"], True)
    assert (body["form"], body["shown"], body["votes"]) == (TICKET, {"order.id": 7}, [])


def test_the_list_is_paged_by_cursor_and_filtered(ask: Ask, people: People) -> None:
    first, second = ask(title="A"), ask(title="B", groups=["security"], users=["lena"])
    lena = as_user(people.lena)
    page = lena.get(LIST, {"limit": 1}).json()
    rest = lena.get(page["next"]).json()
    assert {page["results"][0]["id"], rest["results"][0]["id"]} == {str(first.pk), str(second.pk)}
    assert rest["next"] is None
    decide(people.lena, first)
    for query, titles in [
        ({"status": "approved"}, ["A"]),
        ({"mine": "true"}, ["B"]),
        ({"workflow": "other"}, []),
        ({"run": str(first.run_id), "status": "open"}, ["B"]),
    ]:
        assert [row["title"] for row in lena.get(LIST, query).json()["results"]] == titles


@pytest.mark.parametrize(
    "query",
    [{"status": "done"}, {"run": "7"}, {"mine": "perhaps"}, {"user": "lena"}, {"cursor": "x"}],
)
def test_a_filter_that_makes_no_sense(people: People, query: dict[str, str]) -> None:
    assert as_user(people.lena).get(LIST, query).status_code == 400


def test_deciding(ask: Ask, people: People, engine: Engine) -> None:
    asked = ask(form=TICKET)
    answer = decide(people.lena, asked, comment="Fine.", form={"ticket": "T-1"})
    assert answer.status_code == 200
    assert answer.json() == {
        "request": str(asked.pk),
        "decision": "approve",
        "status": "approved",
        "by": "lena",
        "at": "2026-03-01T10:00:00Z",
    }
    assert engine.answers[0][1]["form"] == {"ticket": "T-1"}


def test_the_same_key_gets_the_same_answer(ask: Ask, people: People, engine: Engine) -> None:
    asked = ask()
    first, second = (decide(people.lena, asked, key="k1") for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert [told.headers.get("Idempotent-Replayed") for told in (first, second)] == [None, "true"]
    assert len(engine.answers) == 1
    assert decide(people.lena, asked, key="k1", decision="reject").status_code == 422


def test_too_late_is_a_conflict_that_says_who_was_first(ask: Ask, people: People) -> None:
    asked = ask()
    decide(people.lena, asked)
    late = decide(people.liam, asked, decision="reject")
    assert late.status_code == 409
    assert late.json()["code"] == "conflict"
    assert "approved by lena" in late.json()["detail"]


def test_the_requester_is_refused_and_strangers_find_nothing(ask: Ask, people: People) -> None:
    asked = ask()
    assert decide(people.alice, asked).status_code == 403
    assert decide(people.charlie, asked).status_code == 404
    assert as_user(people.charlie).get(f"{LIST}{asked.pk}/").status_code == 404
    assert as_user(people.lena).get(f"{LIST}{uuid4()}/").status_code == 404
    assert APIClient().get(LIST).status_code in {401, 403}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"decision": "maybe"}, 422),
        ({"form": []}, 422),
        ({"voter": "liam"}, 422),
        ({"comment": "a\x00b"}, 422),
        ({"form": {"ticket": "T"}}, 422),
        ({"form": {"ticket": "T-1", "n": 2**63}}, 422),
        ({"key": "k" * 201}, 422),
    ],
)
def test_bad_answers(ask: Ask, people: People, answer: dict[str, Any], status: int) -> None:
    asked = ask(form=TICKET)
    response = decide(people.lena, asked, **answer)
    assert response.status_code == status, response.content
    assert ApprovalRequest.objects.get(pk=asked.pk).status == "open"


@pytest.mark.parametrize("key", ["", "k" * 201, "caf\xe9", "a\0b"])
def test_keys_that_are_refused(ask: Ask, people: People, key: str) -> None:
    asked = ask()
    address = f"{LIST}{asked.pk}/decide/"
    headers = {"Idempotency-Key": key}
    answer = as_user(people.lena).post(address, {"decision": "approve"}, "json", headers=headers)
    assert (answer.status_code, "printable ASCII" in answer.json()["detail"]) == (422, True)
    assert ApprovalRequest.objects.get(pk=asked.pk).status == "open"


def test_what_is_no_decision_is_answered_with_the_choices(ask: Ask, people: People) -> None:
    refused = decide(people.lena, ask(), decision="accept")
    assert refused.status_code == 422
    assert refused.json()["detail"] == "/decision: 'accept' is none of 'approve', 'reject'."
    listed = as_user(people.lena).get(f"{LIST}?status=closed")
    assert listed.status_code == 400
    assert "is none of 'open', 'approved', 'rejected'" in listed.json()["detail"]
