"""secret: values come on standard input and are told to nobody."""

import io
import sys

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django import Settings

from tests.integration.cli.calling import Said, call
from workflows.effects.sealing import new_key, unseal
from workflows.models import Secret
from workflows.services import secrets

pytestmark = pytest.mark.django_db

VALUE = "correct horse"


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "SECRET_KEYS": [new_key()]}


def put(monkeypatch: pytest.MonkeyPatch, value: str, *words: str) -> Said:
    monkeypatch.setattr(sys, "stdin", io.StringIO(value))
    return call("secret", "set", *words)


def value_of(name: str) -> str:
    return unseal(name, Secret.objects.get(name=name).sealed)


@pytest.mark.parametrize("typed", [VALUE, f"{VALUE}\n", f"{VALUE}\r\n"])
def test_a_secret_is_read_from_standard_input(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    said = put(monkeypatch, typed, "api")
    assert (said.code, said.out.strip()) == (0, "Secret api kept.")
    assert value_of("api") == VALUE


def test_of_several_lines_only_the_last_end_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, "one\ntwo\n\n", "api")
    assert value_of("api") == "one\ntwo\n"


def test_a_secret_can_be_changed_and_its_hosts_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, VALUE, "api", "--host", "a.example", "--host", "*.b.example")
    said = put(monkeypatch, "another", "api", "--json")
    assert said.json == {"set": "api", "is_new": False}
    assert value_of("api") == "another"
    assert Secret.objects.get().hosts == ["a.example", "*.b.example"]
    put(monkeypatch, "another", "api", "--host", "")
    assert Secret.objects.get().hosts == []


def test_the_list_tells_names_and_hosts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There are none" in call("secret", "list").out
    put(monkeypatch, VALUE, "api", "--host", "a.example")
    for said in (call("secret", "list"), call("secret", "list", "--json")):
        assert "api" in said.out
        assert "a.example" in said.out
        assert VALUE not in said.out
        assert Secret.objects.get().sealed not in said.out


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("abc", ["api"]),
        ("", ["api"]),
        (VALUE, ["two words"]),
        (VALUE, ["api", "--host", "https://a.example"]),
        ("x" * 20_001, ["api"]),
        ("nul\0nul", ["api"]),
    ],
)
def test_what_cannot_be_kept_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str, words: list[str]
) -> None:
    said = put(monkeypatch, value, *words)
    assert said.code == 2
    assert value == "" or value not in said.err
    assert not Secret.objects.exists()


def test_names_are_for_set_and_delete(monkeypatch: pytest.MonkeyPatch) -> None:
    assert put(monkeypatch, VALUE).code == 2
    assert call("secret", "list", "api").code == 2


def test_a_secret_is_deleted() -> None:
    secrets.set_secret("api", VALUE)
    said = call("secret", "delete", "apy")
    assert said.code == 2
    assert "did you mean 'api'" in said.err
    assert "workflow secret list" in said.err
    assert call("secret", "delete", "api").code == 0
    assert not Secret.objects.exists()


def test_keys_are_rotated(settings: Settings) -> None:
    (old,) = settings.CELERIAC["SECRET_KEYS"]
    secrets.set_secret("a", VALUE)
    secrets.set_secret("b", VALUE)
    new = call("secret", "new-key").out.strip()
    settings.CELERIAC = {**settings.CELERIAC, "SECRET_KEYS": [new, old]}
    assert call("secret", "reseal", "--json").json == {"resealed": 2}
    settings.CELERIAC = {**settings.CELERIAC, "SECRET_KEYS": [new]}
    assert (value_of("a"), value_of("b")) == (VALUE, VALUE)


def test_what_no_key_opens_stops_the_rotation(settings: Settings) -> None:
    secrets.set_secret("a", VALUE)
    settings.CELERIAC = {**settings.CELERIAC, "SECRET_KEYS": [new_key()]}
    secrets.set_secret("b", VALUE)
    before = dict(Secret.objects.values_list("name", "sealed"))
    said = call("secret", "reseal")
    assert said.code == 2
    assert "'a'" in said.err
    assert dict(Secret.objects.values_list("name", "sealed")) == before


def test_whoever_is_named_needs_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    user = User.objects.create(username="alice")
    for words in (("list",), ("delete", "api"), ("reseal",)):
        said = call("secret", *words, "--as", "alice")
        assert said.code == 2
        assert "workflows." in said.err
    assert "workflows.change_secret" in put(monkeypatch, VALUE, "api", "--as", "alice").err
    user.user_permissions.add(Permission.objects.get(codename="change_secret"))
    assert put(monkeypatch, VALUE, "api", "--as", "alice").code == 0
    assert Secret.objects.get().updated_by == user
