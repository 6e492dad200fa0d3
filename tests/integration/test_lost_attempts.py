"""An attempt that was lost with its worker is shown wherever the history is."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from tests.integration.cli.calling import call
from tests.support.activities import Killed
from tests.support.builder import activity, end, workflow
from workflows import clock, conf
from workflows.admin.timeline import timeline_of
from workflows.models import Run
from workflows.store.threads import worker_name
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def once_lost(engine: Harness) -> Run:
    """A run whose only step killed its worker the first time, and was done the second."""
    retry = {"attempts": 2, "backoff": "PT1S"}
    engine.publish(workflow("lost", activity("a", "test.die", retry=retry), end()))
    run = engine.start("lost")
    with pytest.raises(Killed):
        engine.drain()
    engine.jump(minutes=1)
    return engine.result(run)


def test_the_command_line_shows_it(once_lost: Run) -> None:
    lost, *others = call("show", str(once_lost.pk), "--history", "--json").json["history"]
    assert (lost["status"], lost["attempt"], lost["worker"]) == ("lost", 1, worker_name())
    assert lost["error"]["code"] == "worker_lost"
    assert {each["status"] for each in others} == {"completed"}
    drawn = call("show", str(once_lost.pk), "--history").out
    assert "lost" in drawn
    assert "worker_lost" in drawn


def test_the_api_shows_it(once_lost: Run, root: User) -> None:
    client = APIClient()
    client.force_authenticate(root)
    lost = client.get(f"/api/v1/runs/{once_lost.pk}/history/").json()["results"][0]
    assert (lost["status"], lost["attempt"]) == ("lost", 1)
    assert lost["error"]["code"] == "worker_lost"
    assert lost["worker"] == worker_name()


def test_the_timeline_shows_it(once_lost: Run, engine: Harness, root: User) -> None:
    step = timeline_of(once_lost, engine.clock()).steps[0]
    lease = clock.spoken(timedelta(seconds=conf.settings().lease_seconds))
    assert (step.status, step.attempt) == ("lost", 1)
    assert [bar.told for bar in step.bars] == [f"until its worker was missed {lease}"]
    client = Client()
    client.force_login(root)
    html = client.get(reverse("admin:workflows_run_change", args=[once_lost.pk])).content.decode()
    assert html.count("wf-span-lost") == 1
    assert "worker_lost" in html
