"""A large context that is lost: its run is a visible failure at every door, and no page breaks."""

import io
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests.support.assertions import assert_failed
from tests.support.builder import each, end, gosub, wait_event, workflow
from workflows import contents
from workflows.models import Event, Run, StoredText, Thread
from workflows.testing import Harness

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]

BIG = "x" * 100_000


def lose() -> None:
    """Remove all that is kept outside of its rows."""
    StoredText.objects.all().delete()
    contents.forget()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let the storage answer with nothing but an error, from when it is asked to."""

    def refuse(*_: Any) -> Any:
        raise TimeoutError

    contents.forget()
    monkeypatch.setattr("workflows.store.contents.DatabaseStorage._open", refuse)
    return monkeypatch


def begin(engine: Harness, root: User) -> Run:
    """Start a child run whose two parts sleep with a large context; return its parent."""
    part = wait_event("part", "go", filter="size(big) > 10", next=None)
    engine.publish(workflow("sub", each("m", "part", next="end"), part, end()))
    engine.publish(workflow("main", gosub("call", "sub"), end()))
    run = engine.start("main", {"items": [1, 2], "big": BIG}, by=root)
    engine.drain()
    return engine.result(run)


def completed(engine: Harness, root: User) -> Run:
    """Return a run that is over, with a large output."""
    engine.publish(workflow("one", wait_event("wait", "come"), end()))
    run = engine.start("one", {"big": BIG}, by=root)
    engine.drain()
    engine.send("come")
    return engine.result(run)


def told(*words: str) -> str:
    out = io.StringIO()
    call_command("workflow", *words, stdout=out, stderr=out, no_color=True)
    return out.getvalue()


def pages_of_admin() -> list[str]:
    """Return every list of the admin, and the page of every row that it has one for."""
    found = []
    for model in site._registry:
        if model._meta.app_label == "workflows":
            name = f"admin:workflows_{model._meta.model_name}"
            found.append(reverse(f"{name}_changelist"))
            rows = model._base_manager.all()
            if model._meta.model_name == "question":
                rows = rows.exclude(prompt="")
            found += [reverse(f"{name}_change", args=[row.pk]) for row in rows]
    return found


def look_everywhere(run: Run, client: Client) -> dict[str, str]:
    """Ask for the run at every door; return what each of them has shown."""
    shown = {
        "show": told("show", str(run.pk)),
        "history": told("show", str(run.pk), "--history"),
        "json": told("show", str(run.pk), "--json"),
        "list": told("list"),
    }
    address = f"/api/v1/runs/{run.pk}/"
    for page in (address, f"{address}history/", "/api/v1/runs/", *pages_of_admin()):
        answer = client.get(page)
        assert answer.status_code == 200, page
        shown[page] = answer.content.decode()
    return shown


def test_a_run_that_sleeps_can_be_seen_and_fails_when_an_event_is_for_it(
    engine: Harness, root: User, root_client: Client
) -> None:
    """Its filter cannot be asked; a run that nothing else wakes would sleep for ever."""
    parent = begin(engine, root)
    child = Run.objects.defer("input").get(parent=parent)
    lose()
    for run in (parent, child):
        assert "suspended" in look_everywhere(run, root_client)["show"]
    engine.send("go", deliver="all")
    assert_failed(child, "content_lost", "part")
    assert_failed(parent, "content_lost", "call")
    assert len(Event.objects.get().misses) == 2
    for run in (parent, child):
        shown = look_everywhere(run, root_client)
        page = reverse("admin:workflows_run_change", args=[run.pk])
        for door in ("show", "json", f"/api/v1/runs/{run.pk}/", page):
            assert "content_lost" in shown[door], door


def test_an_event_for_one_goes_to_the_next_that_can_have_it(engine: Harness, root: User) -> None:
    engine.publish(workflow("one", wait_event("wait", "go", filter="size(big) > 0"), end()))
    lost = engine.start("one", {"big": BIG}, by=root)
    engine.drain()
    lose()
    engine.jump(seconds=1)  # the oldest comes first
    well = engine.start("one", {"big": BIG + "well"}, by=root)
    engine.drain()
    engine.send("go")
    assert_failed(lost, "content_lost", "wait")
    assert engine.result(well).status == "completed"


def test_a_run_that_is_over_can_be_seen(engine: Harness, root: User, root_client: Client) -> None:
    run = completed(engine, root)
    lose()
    shown = look_everywhere(run, root_client)
    assert "completed" in shown["show"]
    assert "content_lost" in shown["show"]
    again = root_client.post(f"/api/v1/runs/{run.pk}/cancel/", {}, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("door", ["api", "admin", "cli"])
def test_it_can_be_cancelled(engine: Harness, root: User, root_client: Client, door: str) -> None:
    run = begin(engine, root)
    lose()
    if door == "api":
        path = f"/api/v1/runs/{run.pk}/cancel/"
        assert root_client.post(path, {}, content_type="application/json").status_code == 200
    elif door == "admin":
        path = reverse("admin:workflows_run_cancel", args=[run.pk])
        assert root_client.post(path, {}).status_code == 302
    else:
        told("cancel", str(run.pk))
    engine.drain()
    assert set(Run.objects.values_list("status", flat=True)) == {"cancelled"}
    assert not Thread.objects.filter(state="suspended").exists()


def test_pages_for_people_do_without_a_storage_that_does_not_answer(
    engine: Harness, root: User, root_client: Client, away: pytest.MonkeyPatch
) -> None:
    """Programs are told to ask again: they would take what is shown instead for the output."""
    parent, over = begin(engine, root), completed(engine, root)
    contents.forget()
    for page in pages_of_admin():
        assert root_client.get(page).status_code == 200, page
    assert "content_unreachable" in told("show", str(over.pk))
    assert "suspended" in told("show", str(parent.pk))
    answer = root_client.get(f"/api/v1/runs/{over.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (503, "content_unreachable")
