"""Events over the API: the forms in which they come, and what became of them."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.integration.api.asking import CLOUD, EVENTS, ORDER, cloud, problem, send
from workflows.models import Event, Run, Suspension
from workflows.services import publish
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting(engine: Harness) -> Run:
    publish(json.dumps(ORDER))
    return engine.run("shop/order", {"order": "7"})


def paid(engine: Harness, run: Run) -> Any:
    engine.drain()
    run.refresh_from_db()
    return run.output["event"] if run.output else None


def test_the_short_form_wakes_a_run(anybody: APIClient, engine: Harness, waiting: Run) -> None:
    answer = send(anybody, {"type": "payment", "key": "7", "data": {"amount": 5}, "id": "e1"})
    assert answer.status_code == 202, answer.content
    receipt = answer.json()
    assert (receipt["id"], receipt["source"], receipt["is_new"]) == ("e1", "api", True)
    assert len(receipt["woke"]) == 1
    assert paid(engine, waiting)["data"] == {"amount": 5}
    again = send(anybody, {"type": "payment", "key": "7", "data": {"amount": 5}, "id": "e1"})
    assert again.json() == {**receipt, "is_new": False}


def test_an_early_event_is_kept(anybody: APIClient, engine: Harness) -> None:
    publish(json.dumps(ORDER))
    receipt = send(anybody, {"type": "payment", "key": "7", "ttl": "PT1H"}).json()
    assert receipt["woke"] == []
    event = Event.objects.get()
    assert (event.expires_at - event.received_at).total_seconds() == 3600
    assert engine.run("shop/order", {"order": "7"}).status == "completed"


def test_a_structured_cloud_event(anybody: APIClient, engine: Harness, waiting: Run) -> None:
    answer = cloud(anybody, {**CLOUD, "time": "2026-05-01T10:00:00Z", "data": [1], "extra": "x"})
    assert answer.status_code == 202, answer.content
    event = paid(engine, waiting)
    assert event == {
        "type": "payment",
        "source": "/shop",
        "id": "e1",
        "key": "7",
        "data": [1],
        "time": "2026-05-01T10:00:00+00:00",
    }


def test_the_attribute_key_goes_before_the_subject(
    anybody: APIClient, engine: Harness, waiting: Run
) -> None:
    cloud(anybody, {**CLOUD, "subject": "other", "key": "7", "dataschema": None})
    assert paid(engine, waiting)["key"] == "7"


def test_a_binary_cloud_event(anybody: APIClient, engine: Harness, waiting: Run) -> None:
    headers = {f"ce-{name}": value for name, value in CLOUD.items()}
    headers["ce-source"] = "/caf%C3%A9"
    answer = send(anybody, {"amount": 5}, **headers)
    assert answer.status_code == 202, answer.content
    event = paid(engine, waiting)
    assert (event["source"], event["data"]) == ("/café", {"amount": 5})


def test_a_batch(anybody: APIClient, waiting: Run) -> None:
    answer = cloud(anybody, [{**CLOUD, "id": "a"}, {**CLOUD, "id": "b"}], "cloudevents-batch")
    assert answer.status_code == 202, answer.content
    receipts = answer.json()
    assert [(one["id"], len(one["woke"])) for one in receipts] == [("a", 1), ("b", 0)]
    assert cloud(anybody, [], "cloudevents-batch").json() == []


def test_the_list_tells_what_an_event_woke_and_why_not(anybody: APIClient, engine: Harness) -> None:
    wait = {"id": "big", "type": "wait_event", "event": "payment", "filter": "event.data > 10"}
    nodes = [{"id": "start", "type": "start", "next": "big"}, {**wait, "next": "end"}]
    document = {"workflow": "big", "nodes": [*nodes, {"id": "end", "type": "end"}]}
    publish(json.dumps(document))
    engine.run("big")
    for number in (5, 50):
        engine.jump(minutes=1)
        send(anybody, {"type": "payment", "data": number, "source": f"s{number}"})
    rows = anybody.get(EVENTS).json()["results"]
    assert [(row["data"], len(row["woke"])) for row in rows] == [(50, 1), (5, 0)]
    assert rows[0]["taken_at"]
    assert rows[1]["misses"][0]["why"] == "the filter was false"
    moment = rows[0]["received_at"]
    for query, numbers in [
        ({"source": "s5"}, [5]),
        ({"type": "payment", "received_after": moment}, [50]),
        ({"received_before": moment}, [5]),
        ({"key": "7"}, []),
    ]:
        found = anybody.get(EVENTS, query).json()["results"]
        assert [row["data"] for row in found] == numbers
    problem(anybody.get(EVENTS, {"typ": "payment"}), 400, "query_invalid")


def test_the_list_tells_which_waits_are_still_to_be_asked(
    anybody: APIClient, engine: Harness
) -> None:
    heavy = "items.all(x, items.all(y, items.all(z, true)))"
    wait = {"id": "big", "type": "wait_event", "event": "payment", "filter": heavy}
    nodes = [{"id": "start", "type": "start", "next": "big"}, {**wait, "next": "end"}]
    publish(json.dumps({"workflow": "big", "nodes": [*nodes, {"id": "end", "type": "end"}]}))
    for count in (1000, 1000, 0):
        engine.run("big", {"items": list(range(count))})
        engine.jump(milliseconds=1)
    first, *others = (str(wait.pk) for wait in Suspension.objects.order_by("opened_at"))
    assert send(anybody, {"type": "payment"}).json()["woke"] == []
    (row,) = anybody.get(EVENTS).json()["results"]
    assert [miss["suspension"] for miss in row["misses"]] == [first]
    assert row["unasked"] == others
    engine.drain()
    (row,) = anybody.get(EVENTS).json()["results"]
    assert (row["woke"], row["unasked"]) == (others[1:], [])


def test_the_list_is_two_queries(anybody: APIClient, django_assert_num_queries: Any) -> None:
    for _ in range(5):
        send(anybody, {"type": "payment"})
    with django_assert_num_queries(2):  # the events, and whom they have still to be offered to
        page = anybody.get(EVENTS, {"limit": 3}).json()
    assert len(page["results"]) == 3
    assert len(anybody.get(page["next"]).json()["results"]) == 2
