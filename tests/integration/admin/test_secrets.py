"""Secrets in the admin: set, changed and deleted, and on no page to be read."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from workflows.effects.sealing import unseal
from workflows.models import Secret
from workflows.services import secrets

pytestmark = pytest.mark.django_db

ADD = reverse("admin:workflows_secret_add")
LIST = reverse("admin:workflows_secret_changelist")
VALUE = "correct horse"
LogIn = Callable[..., Client]


@pytest.fixture
def log_in(db: None) -> LogIn:
    def logged_in(*codenames: str) -> Client:
        user = User.objects.create(username="-".join(codenames), is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(user)
        return client

    return logged_in


def page_of(name: str) -> str:
    return reverse("admin:workflows_secret_change", args=[Secret.objects.get(name=name).pk])


def value_of(name: str) -> str:
    return unseal(name, Secret.objects.get(name=name).sealed)


def test_a_secret_is_set_and_never_shown(log_in: LogIn) -> None:
    client = log_in("add_secret", "change_secret", "view_secret")
    given = {"name": "api", "value": VALUE, "hosts": "api.example.org  *.example.org"}
    done = client.post(ADD, given, follow=True)
    assert done.redirect_chain
    assert value_of("api") == VALUE
    assert Secret.objects.get().hosts == ["api.example.org", "*.example.org"]
    assert Secret.objects.get().updated_by is not None
    for address in (LIST, page_of("api"), reverse("admin:index")):
        page = client.get(address).content.decode()
        assert VALUE not in page
        assert Secret.objects.get().sealed not in page
    assert VALUE not in str(list(LogEntry.objects.values()))


def test_a_blank_value_leaves_it_as_it_is(log_in: LogIn) -> None:
    secrets.set_secret("api", VALUE, hosts=["a.example"])
    client = log_in("change_secret", "view_secret")
    client.post(page_of("api"), {"value": "", "hosts": "b.example"})
    assert (value_of("api"), Secret.objects.get().hosts) == (VALUE, ["b.example"])
    client.post(page_of("api"), {"value": " spaces count ", "hosts": ""})
    assert (value_of("api"), Secret.objects.get().hosts) == (" spaces count ", [])


def test_a_name_cannot_be_changed(log_in: LogIn) -> None:
    secrets.set_secret("api", VALUE)
    log_in("change_secret", "view_secret").post(
        page_of("api"), {"name": "other", "value": "another", "hosts": ""}
    )
    assert list(Secret.objects.values_list("name", flat=True)) == ["api"]


@pytest.mark.parametrize(
    "given",
    [
        {"name": "api", "value": ""},
        {"name": "api", "value": "abc"},
        {"name": "two words", "value": VALUE},
        {"name": "api", "value": VALUE, "hosts": "https://api.example.org/"},
    ],
)
def test_what_is_wrong_is_told_and_the_value_not_repeated(
    log_in: LogIn, given: dict[str, str]
) -> None:
    page = log_in("add_secret").post(ADD, given)
    assert page.status_code == 200
    assert 'class="errorlist"' in page.content.decode()
    assert VALUE not in page.content.decode()
    assert not Secret.objects.exists()


def test_without_a_key_nothing_can_be_kept(log_in: LogIn, settings: Settings) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "SECRET_KEYS": []}
    page = log_in("add_secret").post(ADD, {"name": "api", "value": VALUE}).content.decode()
    assert "CELERIAC_SECRET_KEYS" in page
    assert VALUE not in page


def test_who_may_only_look_sees_no_value_and_changes_nothing(log_in: LogIn) -> None:
    secrets.set_secret("api", VALUE)
    client = log_in("view_secret")
    page = client.get(page_of("api"))
    assert page.status_code == 200
    assert "_save" not in page.content.decode()
    assert client.post(page_of("api"), {"value": "another"}).status_code == 403
    assert client.post(ADD, {"name": "b", "value": VALUE}).status_code == 403
    assert value_of("api") == VALUE


@pytest.mark.parametrize("lookup", ["startswith", "regex", "gte"])
def test_no_filter_tells_what_is_kept(log_in: LogIn, lookup: str) -> None:
    secrets.set_secret("api", VALUE)
    sealed = Secret.objects.get().sealed
    answer = log_in("view_secret").get(LIST, {f"sealed__{lookup}": sealed[:9]})
    assert answer.status_code == 400


def test_others_see_nothing(log_in: LogIn) -> None:
    secrets.set_secret("api", VALUE)
    client = log_in("view_run")
    assert client.get(LIST).status_code == 403
    assert client.get(page_of("api")).status_code == 403


def test_secrets_are_deleted_one_and_many(log_in: LogIn) -> None:
    for name in ("a", "b", "c"):
        secrets.set_secret(name, VALUE)
    client = log_in("delete_secret", "view_secret")
    one = reverse("admin:workflows_secret_delete", args=[Secret.objects.get(name="a").pk])
    client.post(one, {"post": "yes"})
    rest = list(Secret.objects.values_list("pk", flat=True))
    client.post(LIST, {"action": "delete_selected", "_selected_action": rest, "post": "yes"})
    assert not Secret.objects.exists()
