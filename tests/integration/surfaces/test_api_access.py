"""Who may do what over REST: every route, for every way of not being let in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission, User
from knox.models import AuthToken
from rest_framework.test import APIClient

from approvals.models import ApprovalRequest
from tests.integration.surfaces import odd
from tests.integration.surfaces.everything import everything
from workflows import clock
from workflows.models import Question, Run
from workflows.services.access import PERMISSIONS

pytestmark = pytest.mark.django_db(transaction=True)

ANYBODY = ""  # who has logged in
VERSIONS = "/workflows/shop/refund/versions/"
#: method, route, the permission that it takes (of some, any is enough), body, what somebody with
#: it is answered with
ROUTES: list[tuple[str, str, str, Any, int]] = [
    ("get", "/workflows/", "view_workflow", None, 200),
    ("get", "/workflows/shop/refund/", "view_workflow", None, 200),
    ("get", VERSIONS, "view_workflow", None, 200),
    ("post", VERSIONS, "publish_workflow", {"workflow": "shop/refund"}, 422),
    ("get", f"{VERSIONS}1/", "view_workflow", None, 200),
    ("get", "/runs/", "view_run", None, 200),
    ("post", "/runs/", "start_run", {"workflow": "shop/refund", "input": {"rows": []}}, 202),
    ("get", "/runs/{run}/", "view_run", None, 200),
    ("get", "/runs/{run}/history/", "view_run", None, 200),
    ("post", "/runs/{run}/cancel/", "cancel_run", {}, 200),
    ("post", "/runs/{run}/change-group/", "change_group", {"node": "each", "parallel": 1}, 200),
    ("get", "/questions/", ANYBODY, None, 200),
    ("get", "/questions/{question}/", "legal or answer_question", None, 200),
    (
        "post",
        "/questions/{question}/answer/",
        "legal or answer_question",
        {"data": {"n": 1}},
        200,
    ),
    ("get", "/events/", "view_event", None, 200),
    ("post", "/events/", "send_event", {"type": "paid"}, 202),
    ("get", "/approvals/", ANYBODY, None, 200),
    ("get", "/approvals/{asked}/", "legal", None, 200),
    ("post", "/approvals/{asked}/decide/", "legal", {"decision": "approve"}, 200),
    ("get", "/schema/", ANYBODY, None, 200),
    ("get", "/docs/", ANYBODY, None, 200),
    ("post", "/auth/logout/", ANYBODY, None, 204),
]
#: Each route with each permission that is enough for it.
ENOUGH = [(route, takes) for route in ROUTES for takes in route[2].split(" or ")]
IDS = [f"{method} {route} {takes}" for (method, route, *_), takes in ENOUGH]
#: Tells nobody that something is there.
HIDDEN = {
    "/approvals/{asked}/",
    "/approvals/{asked}/decide/",
    "/questions/{question}/",
    "/questions/{question}/answer/",
}
Ask = Callable[..., Any]


@pytest.fixture
def ids(parked: Run, asked: ApprovalRequest, question: Question) -> dict[str, str]:
    return {"run": str(parked.pk), "asked": str(asked.pk), "question": str(question.pk)}


@pytest.fixture
def ask(ids: dict[str, str]) -> Ask:
    """Make the request of a route with these headers."""

    def make(route: tuple[str, str, str, Any, int], headers: dict[str, str]) -> Any:
        method, address, _, body, _ = route
        call = getattr(APIClient(), method)
        given = {} if body is None else {"data": body, "format": "json"}
        return call(f"/api/v1{address.format(**ids)}", headers=headers, **given)

    return make


def person(*permissions: str) -> User:
    """Return somebody who is in the group `legal`, when that is named, and has permissions."""
    user = User.objects.create(username=f"user-{uuid4()}")
    codenames = [PERMISSIONS[name].partition(".")[2] for name in permissions if name in PERMISSIONS]  # type: ignore[index]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    if "legal" in permissions:
        user.groups.add(Group.objects.get(name="legal"))
    return user


def token_of(user: User, **changes: Any) -> dict[str, str]:
    record, token = AuthToken.objects.create(user=user)
    AuthToken.objects.filter(pk=record.pk).update(**changes)
    return {"Authorization": f"Token {token}"}


def test_every_route_is_here(ids: dict[str, str]) -> None:
    here = {f"/api/v1{route.format(**ids)}" for _, route, *_ in ROUTES}
    names = {"run_id": ids["run"], "request_id": ids["asked"], "question_id": ids["question"]}
    there = set(odd.api_addresses(**names))
    assert there - here == {"/api/v1/auth/login/"}


def test_who_is_not_let_in(ask: Ask) -> None:
    everyone = (*PERMISSIONS, "legal")
    closed, gone = person(*everyone), person(*everyone)
    right = token_of(person(*everyone))["Authorization"]
    refused: dict[str, dict[str, str]] = {
        "no token": {},
        "no word": {"Authorization": right.removeprefix("Token ")},
        "another word": {"Authorization": right.replace("Token", "Bearer")},
        "cut off": {"Authorization": right[:-1]},
        "made up": {"Authorization": "Token " + "0" * 64},
        "closed account": token_of(closed),
        "deleted account": token_of(gone),
    }
    User.objects.filter(pk=closed.pk).update(is_active=False)
    gone.delete()
    late = person(*everyone)
    before = everything()
    for route in ROUTES:
        # An expired token is removed when it is used: each request has one of its own.
        expired = token_of(late, expiry=clock.now() - timedelta(days=9999))
        for why, headers in {**refused, "expired": expired}.items():
            answer = ask(route, {**headers, "Idempotency-Key": "k1"})
            assert answer.status_code == 401, (route, why, answer.content)
            assert answer["WWW-Authenticate"].startswith("Token"), (route, why)
            assert answer["Content-Type"] == "application/problem+json", (route, why)
    assert everything() == before


def test_who_may_do_all_but_this(ask: Ask) -> None:
    for route in ROUTES:
        method, address, takes, *_ = route
        if takes == ANYBODY:
            continue
        others = [name for name in (*PERMISSIONS, "legal") if name not in takes.split(" or ")]
        headers = token_of(person(*others))
        before = everything()
        answer = ask(route, {**headers, "Idempotency-Key": "k1"})
        assert answer.status_code == (404 if address in HIDDEN else 403), (route, answer.content)
        assert everything() == before
        if method == "get":
            head = ask(("head", *route[1:]), headers)
            assert (head.status_code, head.content) == (answer.status_code, b""), route


@pytest.mark.parametrize(("route", "takes"), ENOUGH, ids=IDS)
def test_who_may_do_this_and_nothing_else(route: Any, takes: str, ask: Ask) -> None:
    method, *_, status = route
    headers = token_of(person(*([takes] if takes else [])))
    before = everything()
    answer = ask(route, headers)
    assert answer.status_code == status, answer.content
    changes = method == "post" and status < 400 and route[1] != "/auth/logout/"
    assert (everything() != before) == changes


def test_seeing_a_request_is_not_deciding_it(ask: Ask) -> None:
    viewer = person()
    viewer.user_permissions.set(Permission.objects.filter(codename="view_approvalrequest"))
    headers = token_of(viewer)
    shown, decide = (each for each in ROUTES if each[1].startswith("/approvals/{asked}/"))
    before = everything()
    assert ask(shown, headers).status_code == 200
    assert ask(decide, headers).status_code == 403
    assert everything() == before


def test_the_requester_may_look_and_not_decide(ask: Ask, root: User) -> None:
    root.groups.add(Group.objects.get(name="legal"))
    decide = next(each for each in ROUTES if each[1].endswith("decide/"))
    before = everything()
    answer = ask(decide, token_of(root))
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_refused")
    assert everything() == before
