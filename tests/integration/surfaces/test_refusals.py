"""What is refused is told in words that name the spot, and nothing is changed."""

import json
import re
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from approvals.models import ApprovalRequest, Vote
from project.wsgi import application
from workflows import services
from workflows.errors import CeleriacError, InputRefusedError, ValueRefusedError
from workflows.models import Event, Run
from workflows.services.runs import REASON_LENGTH

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]

RUNS, ASKED = "/admin/workflows/run/", "/admin/approvals/approvalrequest/"


def refused(answer: Any) -> str:
    """Return what the page of a refused request says."""
    assert answer.status_code == 400, answer.status_code
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", answer.content.decode()))
    assert "This request was refused" in text
    return text


@pytest.mark.parametrize("name", ["status", "workflow", "workflow_name", "q"])
@pytest.mark.parametrize("page", [RUNS, ASKED])
def test_a_nul_in_a_filter(root_client: Client, parked: Run, page: str, name: str) -> None:
    text = refused(root_client.get(f"{page}?{name}=a%00b"))
    assert f"The parameter &#x27;{name}&#x27; is refused: text with a NUL character." in text


@pytest.mark.parametrize(
    "query",
    [
        "workflow_name=a",  # a column that has no filter
        "input__regex=[",
        "started_by__password__startswith=a",
        "created_at__gte=yesterday",
        "unknown=1",
    ],
)
def test_a_filter_that_the_list_has_not(root_client: Client, parked: Run, query: str) -> None:
    text = refused(root_client.get(f"{RUNS}?{query}"))
    assert f"what the address says: {query.partition('=')[0]}." in text


@pytest.mark.parametrize("query", ["year=9999", "year=9999&opened_at__month=12", "year=x"])
def test_a_date_that_no_calendar_has(root_client: Client, parked: Run, query: str) -> None:
    assert "opened_at__year" in refused(root_client.get(f"{ASKED}?opened_at__{query}"))


def test_the_filters_and_links_that_there_are(root_client: Client, parked: Run) -> None:
    month = "opened_at__year=2030&opened_at__month=1"
    for page in (
        f"{RUNS}?status=alive&workflow=shop/refund&q=k1&o=1&p=1",
        f"{RUNS}?created_at__gte=2030-01-01T00:00Z&created_at__lt=2030-01-02T00:00Z",
        f"{ASKED}?inbox=mine&status__exact=open&workflow_name=shop/refund&{month}",
        f"/admin/workflows/thread/?run__id__exact={parked.pk}&state__exact=suspended",
    ):
        assert root_client.get(page).status_code == 200, page


def test_a_session_cookie_with_a_nul(parked: Run) -> None:
    cookie = {"Cookie": 'sessionid="\\000aaaaaaaaaaaaaaaa"'}
    text = refused(Client().get("/approvals/", headers=cookie))
    assert "The cookie &#x27;sessionid&#x27; is refused" in text


def test_an_encoding_that_is_none_of_text(parked: Run) -> None:
    # Not through a client of the tests: that makes its requests in a way of its own.
    environ: dict[str, Any] = {
        "PATH_INFO": "/api/v1/runs/",
        "QUERY_STRING": "a=%20",
        "CONTENT_TYPE": "application/json; charset=base64",
        "HTTP_HOST": "127.0.0.1",
    }
    setup_testing_defaults(environ)
    told: list[Any] = []

    def start(*given: Any) -> Any:
        told.extend(given)

    body = b"".join(application(environ, start))
    assert told[0] == "400 Bad Request"
    assert ("Content-Type", "application/problem+json") in told[1]
    assert json.loads(body)["code"] == "malformed_request"
    assert "'base64'" in json.loads(body)["detail"]


def test_a_host_that_is_not_ours_gets_no_more_than_that() -> None:
    answer = Client().get("/api/v1/runs/", headers={"Host": "elsewhere.example.org"})
    assert answer.json()["detail"] == "The request is malformed."


@pytest.mark.parametrize(
    ("reason", "told"),
    [("a\0b", "NUL"), ("x" * (REASON_LENGTH + 1), f"longer than {REASON_LENGTH} characters")],
)
def test_a_reason_that_cannot_be_kept(
    root_client: Client, parked: Run, reason: str, told: str
) -> None:
    cancel = reverse("admin:workflows_run_cancel", args=[parked.pk])
    answer = root_client.post(cancel, {"reason": reason}, follow=True)
    assert told in answer.content.decode()
    parked.refresh_from_db()
    assert parked.status == "suspended"
    fits = f'maxlength="{REASON_LENGTH}"'
    assert fits in root_client.get(f"{RUNS}{parked.pk}/change/").content.decode()


def test_a_key_that_cannot_be_kept(lena_client: Client, asked: ApprovalRequest) -> None:
    page = reverse("approvals:request", args=[asked.pk])
    long = lena_client.post(page, {"decision": "approve", "key": "k" * 201})
    assert (long.status_code, "at most 200 characters" in long.content.decode()) == (422, True)
    refused(lena_client.post(page, {"decision": "approve", "key": "a\0b"}))
    address = f"/api/v1/approvals/{asked.pk}/decide/"
    answer = lena_client.post(
        address, {"decision": "approve"}, "application/json", headers={"Idempotency-Key": "\xe9"}
    )
    assert answer.status_code in {403, 422}  # a session without a CSRF token, or the key
    assert Vote.objects.count() == 0


@pytest.mark.parametrize("odd", ["a\0b", "\udcff", "x" * 3000])
def test_the_services_refuse_what_no_row_can_hold(parked: Run, odd: str) -> None:
    before = (Run.objects.count(), Event.objects.count())
    acts: list[Any] = [
        lambda: services.start(odd),
        lambda: services.start("shop/refund", {"rows": []}, key=odd),
        lambda: services.cancel(parked.pk, reason=odd),
        lambda: services.send_event(odd),
        lambda: services.send_event("paid", key=odd),
        lambda: services.send_event("paid", source=odd),
        lambda: services.send_event("paid", external_id=odd),
    ]
    for act in acts:
        with pytest.raises((ValueRefusedError, InputRefusedError)) as caught:
            act()
        caught.value.message.encode()
    assert (Run.objects.count(), Event.objects.count()) == before


def test_an_answer_from_the_shell_with_an_odd_key(asked: ApprovalRequest) -> None:
    lena = User.objects.get(username="lena")
    answer = {"decision": "approve", "key": "\udcff"}
    with pytest.raises(CeleriacError, match="surrogate"):
        services.answer(
            asked.run_id, node="ask", suspension=asked.suspension_id, answer=answer, by=lena
        )
    assert Vote.objects.count() == 0
