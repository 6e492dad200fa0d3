"""Times in lists and on pages: exact, with their zone, and how long ago that was."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import site
from django.test import Client, override_settings
from django.urls import reverse

from tests.support.builder import ask, end, workflow
from tests.support.locking import inside_of, stands_in_line
from workflows.models import Question, Run
from workflows.services import secrets
from workflows.templatetags.moments import away, minute, moment
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)

OURS = [each for each in site._registry if each._meta.app_label in {"workflows", "approvals"}]
VAGUE = re.compile(r"midnight|noon\b|\b[ap]\.m\.")


@pytest.fixture
def waiting(engine: Harness) -> Run:
    """A run that has waited for two days for who may answer, among rows of every kind."""
    engine.publish(inside_of(ask("well", to={"groups": ["legal"]})))
    run = stands_in_line(engine, "locked")
    stands_in_line(engine, "locked")
    engine.publish(workflow("plain", end()))
    engine.run("plain")
    engine.send("paid", key="7", data={})
    engine.jump(days=2, hours=3)
    return run


def words(page: Any) -> str:
    html = re.sub(r"<(script|style).*?</\1>", " ", page.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_no_list_and_no_page_of_a_row_tells_a_vague_time(
    model: Any, waiting: Run, admin_client: Client, settings: Any
) -> None:
    if model.__name__ == "Secret":
        secrets.set_secret("api", "not for anybody")
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    listed = admin_client.get(reverse(f"{name}_changelist"))
    assert not VAGUE.search(words(listed))
    row = model.objects.exclude(prompt="").first() if model is Question else model.objects.first()
    if row is not None:
        assert "UTC" in words(listed)
        page = admin_client.get(reverse(f"{name}_change", args=[row.pk]))
        assert not VAGUE.search(words(page))
        assert "UTC" in words(page) or model.__name__ == "Workflow"


def test_the_list_of_runs_tells_since_when_and_where_each_waits(
    waiting: Run, admin_client: Client
) -> None:
    shown = words(admin_client.get(reverse("admin:workflows_run_changelist")))
    assert "1 Jan 2030, 00:00:00 UTC 2 d 3 h ago at well" in shown
    assert "2 d 3 h ago at lock" in shown


def test_lists_are_sorted_by_columns_of_times(waiting: Run, admin_client: Client) -> None:
    address = reverse("admin:workflows_suspension_changelist")
    page = admin_client.get(address, {"o": "-5"})
    assert page.status_code == 200
    assert "column-exact_opened_at sorted descending" in page.content.decode()
    assert 'class="field-exact_opened_at"' in page.content.decode()


def test_moments_are_told_in_the_zone_of_the_page(engine: Harness) -> None:
    now = engine.clock()
    assert ">00:00:00 UTC<" in moment(now)
    with override_settings(TIME_ZONE="Europe/Berlin"):
        assert ">1 Jan 2030,<" in minute(now)
        assert ">01:00 CET<" in minute(now)
        assert 'datetime="2030-01-01T01:00:00+01:00"' in minute(now)


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (timedelta(days=2, hours=3), "in 2 d 3 h"),
        (timedelta(minutes=-4), "4 min ago"),
        (timedelta(milliseconds=20), "just now"),
        (timedelta(0), "just now"),
    ],
)
def test_how_far_away_a_moment_is(by: timedelta, told: str, engine: Harness) -> None:
    assert away(engine.clock() + by) == told
