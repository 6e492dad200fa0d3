"""What the system checks say of code and commands."""

import pytest
from django.core import checks
from pytest_django import Settings

from workflows.effects import sandbox


def ids(*, deploy: bool = False) -> list[str]:
    found = checks.run_checks(tags=["workflows"], include_deployment_checks=deploy)
    return [str(each.id) for each in found]


def allow(settings: Settings, **modes: str) -> None:
    settings.CELERIAC = {**settings.CELERIAC, **modes}


def test_nothing_is_said_while_both_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "problem", lambda: pytest.fail("nobody needs a sandbox"))
    assert ids(deploy=True) == []


@pytest.mark.parametrize("name", ["CODE", "COMMAND"])
def test_isolation_without_a_sandbox_is_warned_of(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    allow(settings, **{name: "isolated"})
    monkeypatch.setattr(sandbox, "problem", lambda: "Isolation needs bubblewrap.")
    assert ids() == ["workflows.W001"]
    monkeypatch.setattr(sandbox, "problem", lambda: "")
    assert ids() == []


def test_trust_is_warned_of_before_a_deployment(settings: Settings) -> None:
    allow(settings, CODE="trusted", COMMAND="trusted")
    assert ids() == []
    assert ids(deploy=True) == ["workflows.W002", "workflows.W002"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CODE", "on"),
        ("COMMAND", "sandboxed"),
        ("COMMAND_PROGRAMS", "git"),
        ("COMMAND_FOLDERS", ["tools"]),
        ("COMMAND_FOLDERS", ["/"]),
        ("HTTP_PRIVATE", ["10.0.0.0/33"]),
        ("HTTP_PRIVATE", ["http://intranet/"]),
        ("HTTP_HOSTS", ["10.0.0.0/8"]),
        ("SECRET_KEYS", ["short"]),
    ],
)
def test_settings_that_are_no_choice_are_refused(
    settings: Settings, name: str, value: object
) -> None:
    settings.CELERIAC = {**settings.CELERIAC, name: value}
    (found,) = checks.run_checks(tags=["workflows"])
    assert found.id == "workflows.E001"
    assert name in found.msg
