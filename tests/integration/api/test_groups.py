"""Changing the limits of a split over the API."""

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from tests.integration.api.asking import API, ClientOf, problem
from tests.support.assertions import live_parts
from tests.support.builder import each, end, wait_event, workflow
from workflows.models import Run, ThreadGroup
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)

RUNS = f"{API}/runs/"


@pytest.fixture
def asleep(engine: Harness) -> Run:
    nodes = (each("m", "ask", parallel=1, next="end"), wait_event("ask", "go", next=None), end())
    engine.publish(workflow("m", *nodes))
    run = engine.start("m", {"items": [1, 2, 3]})
    engine.drain()
    return run


def test_a_window_and_a_tolerance_are_changed(
    anybody: APIClient, engine: Harness, asleep: Run
) -> None:
    address = f"{RUNS}{asleep.pk}/change-group/"
    body = {"node": "m", "parallel": 2.0, "tolerate": {"percent": 50}}
    answer = anybody.post(address, body, "json", headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200, answer.content
    (group,) = answer.json()["groups"]
    assert (group["parallel"], group["tolerate"], group["failed"]) == (2, {"percent": 50}, 0)
    again = anybody.post(address, body, "json", headers={"Idempotency-Key": "k"})
    assert again["Idempotent-Replayed"] == "true"
    engine.drain()
    assert live_parts(asleep) == 2
    anybody.post(address, {"node": "m", "tolerate": None}, "json")
    assert ThreadGroup.objects.get().tolerate is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"parallel": 1}, "/node"),
        ({"node": "m", "parallel": -1}, "/parallel"),
        ({"node": "m", "parallel": 1.5}, "/parallel"),
        ({"node": "m", "parallel": None}, "/parallel"),
        ({"node": "m", "tolerate": 3}, "/tolerate"),
        ({"node": "m", "tolerate": {}}, "/tolerate"),
        ({"node": "m", "tolerate": {"count": "many"}}, "/tolerate/count"),
        ({"node": "m", "tolerate": {"percent": 101}}, "/tolerate/percent"),
        ({"node": "m", "group": "x", "parallel": 1}, "/group"),
        ({"node": "m", "window": 1}, "/window"),
        ({"node": "m"}, ""),
    ],
)
def test_what_makes_no_sense_is_refused(
    anybody: APIClient, asleep: Run, body: dict[str, object], pointer: str
) -> None:
    answer = anybody.post(f"{RUNS}{asleep.pk}/change-group/", body, "json")
    told = problem(answer, 422, "input_invalid")
    assert [one["pointer"] for one in told["errors"]] == [pointer]


def test_what_is_not_open_is_a_conflict(anybody: APIClient, engine: Harness, asleep: Run) -> None:
    address = f"{RUNS}{asleep.pk}/change-group/"
    problem(anybody.post(address, {"node": "x", "parallel": 1}, "json"), 409, "conflict")
    other = {"node": "m", "group": str(uuid4()), "parallel": 1}
    problem(anybody.post(address, other, "json"), 409, "conflict")
    unknown = f"{RUNS}{uuid4()}/change-group/"
    problem(anybody.post(unknown, {"node": "m", "parallel": 1}, "json"), 404, "not_found")


def test_it_takes_a_permission_of_its_own(client_of: ClientOf, asleep: Run) -> None:
    body = {"node": "m", "parallel": 2}
    refused = client_of("cancel_run", "view_run").post(
        f"{RUNS}{asleep.pk}/change-group/", body, "json"
    )
    told = problem(refused, 403, "permission_refused")
    assert told["details"]["permission"] == "workflows.change_threadgroup"
