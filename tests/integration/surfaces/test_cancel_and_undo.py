"""A cancel that undoes, by every door: the shell, REST, the admin and its pages."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from tests.integration.cli.calling import call
from tests.support.builder import end, wait_event, workflow
from tests.support.undoing import do, forget, undone
from workflows.models import Run
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def engine(transactional_db: None) -> Iterator[Harness]:
    forget()
    with Harness.open() as harness:
        yield harness


@pytest.fixture
def run(engine: Harness) -> Run:
    """A run that has done two things and waits."""
    engine.publish(workflow("saga", do("a"), do("b"), wait_event("wait", "go"), end()))
    run = engine.start("saga")
    engine.drain()
    return run


def assert_undone(engine: Harness, run: Run) -> None:
    assert engine.result(run).status == "running"
    engine.drain()
    assert engine.result(run).status == "cancelled"
    assert undone(run) == ["b", "a"]


def test_the_command_line(engine: Harness, run: Run) -> None:
    said = call("cancel", str(run.pk), "--compensate")
    assert said.code == 0
    assert f"Run {run.pk} is cancelled as soon as its steps are undone." in said.out
    assert_undone(engine, run)


def test_rest(engine: Harness, run: Run, root: User) -> None:
    client = APIClient()
    client.force_authenticate(root)
    url = f"/api/v1/runs/{run.pk}/cancel/"
    refused = client.post(url, {"compensate": "yes"}, "json")
    assert refused.status_code == 422
    body = client.post(url, {"compensate": True, "reason": "Not wanted."}, "json").json()
    assert (body["status"], body["reason"]) == ("running", "Not wanted.")
    assert_undone(engine, run)


def test_the_page_of_a_run(engine: Harness, run: Run, root: User) -> None:
    client = Client()
    client.force_login(root)
    page = reverse("admin:workflows_run_change", args=[run.pk])
    assert 'name="compensate"' in client.get(page).content.decode()
    url = reverse("admin:workflows_run_cancel", args=[run.pk])
    told = client.post(url, {"compensate": "on"}, follow=True).content.decode()
    assert "is cancelled when its steps are undone" in told
    assert_undone(engine, run)
    shown = client.get(page).content.decode()
    assert "cancel.compensate" in shown


def test_many_at_once(engine: Harness, run: Run, root: User) -> None:
    client = Client()
    client.force_login(root)
    chosen = {"action": "undo_selected", "_selected_action": [str(run.pk)]}
    told = client.post(reverse("admin:workflows_run_changelist"), chosen, follow=True)
    assert "is cancelled when its steps are undone" in told.content.decode()
    assert_undone(engine, run)
