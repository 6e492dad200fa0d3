"""Runs over the API."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from tests.integration.api.asking import GREETING, ORDER, RUNS, SPLIT, problem, start
from workflows.api import runs as runs_of_the_api
from workflows.models import Run
from workflows.services import publish
from workflows.services.waiting import wait_for
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _published(engine: Harness) -> None:
    for definition in (GREETING, ORDER, SPLIT):
        publish(json.dumps(definition))


def test_a_run_from_its_start_to_its_end(anybody: APIClient, engine: Harness) -> None:
    answer = start(anybody, "greeting", input={"name": "Ann"})
    assert answer.status_code == 202, answer.content
    body = answer.json()
    assert answer["Location"] == f"{RUNS}{body['id']}/"
    assert (body["status"], body["is_new"], body["started_by"]) == ("pending", True, "user1")
    engine.drain()
    over = anybody.get(answer["Location"]).json()
    assert (over["status"], over["result"], over["version"]) == ("completed", "ok", 1)
    assert over["output"] == {"name": "Ann", "text": "Hello Ann"}
    assert over["threads"] == {"total": 1, "moving": 0, "suspended": 0, "joining": 0, "over": 1}
    assert over["waits"] == []


def test_a_key_starts_one_run(anybody: APIClient) -> None:
    first = start(anybody, "greeting", input={"name": "Ann"}, key="k1")
    again = start(anybody, "greeting", input={"name": "Ann"}, key="k1")
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {**first.json(), "is_new": False}
    assert again["Location"] == first["Location"]
    problem(start(anybody, "greeting", input={"name": "Bob"}, key="k1"), 422, "key_reused")
    assert Run.objects.count() == 1


def test_prefer_wait_answers_at_the_end(
    anybody: APIClient, engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work_meanwhile(run_id: Any, seconds: float) -> Run:
        return wait_for(run_id, seconds, pause=lambda _: engine.drain())

    monkeypatch.setattr(runs_of_the_api, "wait_for", work_meanwhile)
    prefer = {"Prefer": "respond-async, wait=10"}
    over = start(anybody, "greeting", prefer, input={"name": "Ann"})
    assert (over.status_code, over["Preference-Applied"]) == (200, "wait=10")
    assert (over.json()["status"], over.json()["is_new"]) == ("completed", True)


@pytest.mark.parametrize("prefer", ["wait=0", "respond-async, wait=0"])
def test_prefer_wait_gives_up_in_time(anybody: APIClient, prefer: str) -> None:
    answer = start(anybody, "greeting", {"Prefer": prefer}, input={"name": "Ann"})
    assert (answer.status_code, answer["Preference-Applied"]) == (202, "wait=0")


@pytest.mark.parametrize("prefer", ["wait", "wait=x", "wait=-1", "await=5", "wait=1.5", "\xff"])
def test_a_malformed_preference_is_ignored(anybody: APIClient, prefer: str) -> None:
    answer = start(anybody, "greeting", {"Prefer": prefer}, input={"name": "Ann"})
    assert answer.status_code == 202
    assert "Preference-Applied" not in answer


def test_waiting_looks_more_and_more_seldom(anybody: APIClient, engine: Harness) -> None:
    run = engine.start("greeting", {"name": "Ann"})
    pauses: list[float] = []
    assert wait_for(run.pk, 0.0, pause=pauses.append).status == "pending"
    assert pauses == []

    def rest(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            engine.drain()

    assert wait_for(run.pk, 1000.0, pause=rest).status == "completed"
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.02, 0.5)


def test_what_a_run_waits_for(anybody: APIClient, engine: Harness) -> None:
    run = start(anybody, "split").json()["id"]
    engine.drain()
    body = anybody.get(f"{RUNS}{run}/").json()
    assert body["status"] == "suspended"
    waits = [(wait["node"], wait["kind"], wait["event_type"]) for wait in body["waits"]]
    assert sorted(waits) == [("left", "event", "left"), ("right", "event", "right")]
    assert all(wait["since"] for wait in body["waits"])
    assert body["threads"] == {"total": 3, "moving": 0, "suspended": 2, "joining": 1, "over": 0}
    engine.send("left")
    (group,) = anybody.get(f"{RUNS}{run}/").json()["groups"]
    assert (group["node"], group["state"], group["expected"], group["over"]) == (
        "both",
        "open",
        2,
        1,
    )


def test_history(anybody: APIClient, engine: Harness) -> None:
    run = engine.run("greeting", {"name": "Ann"})
    address = f"{RUNS}{run.pk}/history/"
    nodes, pages = [], 0
    while address:
        page = anybody.get(address, {"limit": 2} if pages == 0 else {}).json()
        nodes += [(step["came_from"], step["node"], step["status"]) for step in page["results"]]
        address, pages = page["next"], pages + 1
    assert nodes == [
        ("", "start", "completed"),
        ("start", "greet", "completed"),
        ("greet", "end", "completed"),
    ]
    assert pages == 2


def test_cancelling(anybody: APIClient, engine: Harness) -> None:
    run = start(anybody, "split").json()["id"]
    engine.drain()
    answer = anybody.post(f"{RUNS}{run}/cancel/", {"reason": "no longer wanted"}, "json")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["status"], body["reason"], body["waits"]) == ("cancelled", "no longer wanted", [])
    again = anybody.post(f"{RUNS}{run}/cancel/", {}, "json")
    assert problem(again, 409, "conflict")["details"] == {"status": "cancelled"}
    problem(anybody.post(f"{RUNS}{uuid4()}/cancel/", {}, "json"), 404, "not_found")
    problem(anybody.post(f"{RUNS}{run}/cancel/", {"reson": "x"}, "json"), 422, "input_invalid")


def test_filters(anybody: APIClient, engine: Harness) -> None:
    engine.run("greeting", {"name": "Ann"}, key="k1")
    engine.jump(hours=1)
    later = engine.run("shop/order", {"order": "7"})

    def found(**query: str) -> list[str]:
        answer = anybody.get(RUNS, query)
        assert answer.status_code == 200, answer.content
        return [row["workflow"] for row in answer.json()["results"]]

    moment = later.created_at.isoformat()
    before = (later.created_at - timedelta(minutes=30)).isoformat()
    assert found() == ["shop/order", "greeting"]
    assert found(status="completed") == ["greeting"]
    assert found(workflow="shop/order", status="suspended") == ["shop/order"]
    assert found(key="k1") == ["greeting"]
    assert found(created_after=moment) == ["shop/order"]
    assert found(created_before=moment) == ["greeting"]
    assert found(created_after=before, created_before=moment) == []


def test_pages_stay_put_while_runs_come_in(anybody: APIClient, engine: Harness) -> None:
    # The virtual clock stands still: only the id tells these runs apart.
    for _ in range(5):
        engine.start("shop/order", {"order": "7"})
    expected = [str(run.pk) for run in Run.objects.all()]
    seen: list[str] = []
    address = f"{RUNS}?limit=2&workflow=shop/order"
    while address:
        page = anybody.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
        engine.jump(seconds=1)
        engine.start("shop/order", {"order": "8"})
    assert seen == expected


def test_lists_ask_the_database_a_fixed_number_of_times(
    anybody: APIClient, engine: Harness, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        start(anybody, "split")
    engine.drain()
    with django_assert_num_queries(1):
        assert len(anybody.get(RUNS).json()["results"]) == 5
    run = Run.objects.first()
    assert run is not None
    # The run, its waits, its groups, its threads, its children.
    with django_assert_num_queries(5):
        anybody.get(f"{RUNS}{run.pk}/")
    with django_assert_num_queries(2):
        anybody.get(f"{RUNS}{run.pk}/history/")
