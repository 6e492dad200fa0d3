"""Who may do what: every address, for strangers, for people without the permission, and with."""

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.urls import URLPattern
from rest_framework.test import APIClient

from tests.integration.api.asking import API, ClientOf, problem
from workflows.api.urls import urlpatterns
from workflows.errors import PermissionRefusedError
from workflows.services import access

pytestmark = pytest.mark.django_db

RUN = f"{API}/runs/{UUID(int=1)}/"
#: name of the address, method, address, what it takes, and what the permitted get of an empty body
MATRIX = [
    ("workflow-list", "get", f"{API}/workflows/", "view_workflow", 200),
    ("workflow-detail", "get", f"{API}/workflows/a/b/", "view_workflow", 404),
    ("version-list", "get", f"{API}/workflows/a/b/versions/", "view_workflow", 404),
    ("version-list", "post", f"{API}/workflows/a/b/versions/", "publish_workflow", 422),
    ("version-detail", "get", f"{API}/workflows/a/b/versions/1/", "view_workflow", 404),
    ("run-list", "get", f"{API}/runs/", "view_run", 200),
    ("run-list", "post", f"{API}/runs/", "start_run", 422),
    ("run-detail", "get", RUN, "view_run", 404),
    ("run-history", "get", f"{RUN}history/", "view_run", 404),
    ("run-cancel", "post", f"{RUN}cancel/", "cancel_run", 404),
    ("run-change-group", "post", f"{RUN}change-group/", "change_group", 422),
    ("event-list", "get", f"{API}/events/", "view_event", 200),
    ("event-list", "post", f"{API}/events/", "send_event", 422),
]
#: Open to whoever has logged in, or is about to.
WITHOUT_PERMISSION = {"login", "logout", "schema", "docs"}
#: What one sees and may answer is a matter of whom the question is for.
WITHOUT_PERMISSION |= {"question-list", "question-detail", "question-answer"}


def call(client: APIClient, method: str, address: str) -> Any:
    if method == "post":
        return client.post(address, {}, "json")
    return client.get(address)


def test_the_matrix_has_every_address() -> None:
    names = {pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)}
    assert names == {row[0] for row in MATRIX} | WITHOUT_PERMISSION


@pytest.mark.parametrize(("name", "method", "address", "action", "status"), MATRIX)
def test_access(
    client_of: ClientOf, name: str, method: str, address: str, action: Any, status: int
) -> None:
    stranger = call(APIClient(), method, address)
    problem(stranger, 401, "not_authenticated")
    assert stranger["WWW-Authenticate"] == "Token"

    others = [other for other in access.PERMISSIONS if other != action]
    refused = problem(call(client_of(*others), method, address), 403, "permission_refused")
    assert access.PERMISSIONS[action] in refused["detail"]

    assert call(client_of(action), method, address).status_code == status


def test_a_permission_may_come_from_a_group() -> None:
    group = Group.objects.create(name="starters")
    group.permissions.add(Permission.objects.get(codename="start_run"))
    user = User.objects.create(username="ann")
    assert not access.may(user, "start_run")
    user.groups.add(group)
    user = User.objects.get(pk=user.pk)
    assert access.may(user, "start_run")
    assert not access.may(user, "cancel_run")
    access.require(user, "start_run")


def test_who_is_not_active_or_not_there_may_nothing() -> None:
    root = User.objects.create(username="root", is_superuser=True, is_active=False)
    for user in (root, AnonymousUser()):
        with pytest.raises(PermissionRefusedError, match=r"workflows\.cancel_run"):
            access.require(user, "cancel_run")


def test_every_permission_exists() -> None:
    for permission in access.PERMISSIONS.values():
        app, _, codename = permission.partition(".")
        assert Permission.objects.filter(content_type__app_label=app, codename=codename).exists()


def test_what_the_schema_and_its_page_take() -> None:
    for address in (f"{API}/schema/", f"{API}/docs/"):
        problem(APIClient().get(address), 401, "not_authenticated")


@pytest.mark.parametrize("page", ["schema/?format=json", "docs/"])
def test_a_browser_without_a_login_is_led_to_it_and_back(page: str) -> None:
    user = User.objects.create_user("ann", password="letmein")  # noqa: S106 - of this test only
    browser = APIClient()
    accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    led = browser.get(f"{API}/{page}", headers=accept)
    assert led.status_code == 302
    assert led["Location"].startswith("/approvals/login/?next=")
    back = browser.post(led["Location"], {"username": user.username, "password": "letmein"})
    assert (back.status_code, back["Location"]) == (302, f"{API}/{page}")
    assert browser.get(back["Location"], headers=accept).status_code == 200
    problem(APIClient().get(f"{API}/{page}", headers={"Accept": "*/*"}), 401, "not_authenticated")


def test_the_root_leads_to_the_inbox_and_that_to_the_login() -> None:
    answer = APIClient().get("/", follow=True)
    assert answer.redirect_chain == [
        ("/approvals/", 302),
        ("/approvals/login/?next=/approvals/", 302),
    ]
    assert answer.status_code == 200
