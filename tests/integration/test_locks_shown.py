"""Who waits for a lock, and who is in the way, wherever people look."""

import json
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from tests.integration.cli.calling import call
from tests.support.builder import edit, wait_event
from tests.support.locking import inside_of, lock, stands_in_line
from workflows.management.checkup import examine
from workflows.models import LockClaim, Run
from workflows.selectors.waits import open_waits
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def line(transactional_db: None) -> list[Run]:
    """A run that holds the lock `till`, and two that wait for it."""
    with Harness.open() as engine:
        engine.publish(inside_of(wait_event("wait", "go"), lock="till"))
        return [stands_in_line(engine, "locked") for _ in range(3)]


def text(content: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", content.decode())).replace("&#x27;", "'")


def test_a_wait_tells_the_lock_the_holder_and_how_many_come_before(line: list[Run]) -> None:
    (second,), (third,) = open_waits(line[1]), open_waits(line[2])
    assert second.what == "lock 'till'"
    holder = f"run {line[0].pk} of workflow 'locked'"
    held = f"{holder}, which holds it at 'lock' since 2030-01-01 00:00:00 UTC"
    assert second.who == held
    assert third.who == f"{held}; 1 more waits before it"


def test_of_several_names_each_that_is_missing_is_told(transactional_db: None) -> None:
    with Harness.open() as engine:
        engine.publish(inside_of(wait_event("wait", "go"), lock=["a", "b"]))
        engine.publish(inside_of(edit("e"), lock=["a", "b", "c"], name="more"))
        stands_in_line(engine, "locked")
        (wait,) = open_waits(stands_in_line(engine, "more"))
    assert wait.what == "locks 'a', 'b'"
    assert wait.who.count("which holds it at 'lock'") == 2


def test_show_the_api_and_the_page_of_the_run_tell_it(line: list[Run], root: User) -> None:
    assert f"run {line[0].pk}" in call("show", str(line[1].pk)).out
    api = APIClient()
    api.force_login(root)
    (wait,) = api.get(f"/api/v1/runs/{line[1].pk}/").json()["waits"]
    assert wait["kind"] == "lock"
    (missing,) = wait["locks"]
    assert (missing["name"], missing["holders"], missing["before"]) == ("till", 1, 0)
    (holder,) = missing["held_by"]
    assert (holder["run"], holder["node"]) == (str(line[0].pk), "lock")
    client = Client()
    client.force_login(root)
    page = client.get(reverse("admin:workflows_run_change", args=[line[1].pk]))
    assert "till is held by locked " in text(page.content)
    assert f'href="{reverse("admin:workflows_run_change", args=[line[0].pk])}"' in str(page.content)
    assert "since 1 Jan 2030, 00:00:00 UTC" in text(page.content)


def test_the_admin_lists_who_holds_and_who_waits(line: list[Run], root: User) -> None:
    client = Client()
    client.force_login(root)
    url = reverse("admin:workflows_lockclaim_changelist")
    shown = text(client.get(url, {"q": "till"}).content)
    assert shown.count("exclusive") == 3
    assert (shown.count("held"), shown.count("waiting")) >= (1, 2)
    assert "till" not in text(client.get(url, {"q": "other"}).content).replace('value="other"', "")


def test_the_page_of_a_claim_tells_its_limit_and_whether_it_was_released(
    line: list[Run], root: User
) -> None:
    client = Client()
    client.force_login(root)
    claim = LockClaim.objects.get(run=line[1])
    url = reverse("admin:workflows_lockclaim_change", args=[claim.pk])
    assert "for the first time" in text(client.get(url).content)
    LockClaim.objects.filter(pk=claim.pk).update(is_again=True, limit=7)
    shown = text(client.get(url).content)
    assert "again: it was released while its thread slept" in shown
    assert re.search(r"Limit:\s*7", shown)


def test_doctor_finds_claims_that_hold_nothing(line: list[Run]) -> None:
    def locks() -> str:
        return next(each.status for each in examine() if each.check == "locks")

    assert locks() == "ok"
    LockClaim.objects.filter(run=line[0]).update(state="left", asked_at="2020-01-01T00:00:00Z")
    assert locks() == "warn"


def test_try_shows_who_waits_for_a_lock_and_when_one_is_taken_and_left(tmp_path: Path) -> None:
    nested = lock("inner", "${'x'}", body="hold", next=None)
    definition = inside_of(nested, edit("hold"))
    place = tmp_path / "w.json"
    place.write_text(json.dumps(definition))
    report = call("try", str(place), "--json").json
    assert (report["status"], report["error"]["code"]) == ("failed", "lock_cycle")
    place.write_text(json.dumps(inside_of(edit("hold", held=1))))
    nodes = call("try", str(place), "--json").json["nodes"]
    assert [(each["node"], each["output"]) for each in nodes[1:4]] == [
        ("lock", {"lock": "taken"}), ("hold", {"held": 1}), ("lock", {"lock": "left"}),
    ]  # fmt: skip
    definition = inside_of(wait_event("wait", "go"))
    place.write_text(json.dumps(definition))
    report = call("try", str(place), "--json").json
    assert [each["node"] for each in report["suspensions"]] == ["wait"]
