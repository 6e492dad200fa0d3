"""`Idempotency-Key`: done once, answered alike, on every POST."""

import json
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from rest_framework.test import APIClient

from tests.integration.api.asking import (
    API,
    CLOUD,
    EVENTS,
    GREETING,
    ORDER,
    RUNS,
    ClientOf,
    problem,
    send,
    start,
)
from workflows.errors import ConflictError
from workflows.models import Event, IdempotencyRecord, Run, WorkflowVersion
from workflows.services import publish, sweep
from workflows.services.access import PERMISSIONS
from workflows.services.requests import Answer, answer_once
from workflows.store import control
from workflows.testing import Harness

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "k1"}
ANN = {"input": {"name": "Ann"}}


@pytest.fixture(autouse=True)
def _published(db: None) -> None:
    publish(json.dumps(GREETING))
    publish(json.dumps(ORDER))


def test_a_start_sent_again_gets_the_first_answer(anybody: APIClient) -> None:
    first, again = (start(anybody, "greeting", KEY, **ANN) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Run.objects.count() == 1


def test_spaces_and_order_in_the_body_do_not_matter(anybody: APIClient) -> None:
    texts = ('{"workflow":"greeting","input":{"name":"Ann"}}',) * 1 + (
        '{ "input": {"name": "Ann"},\n "workflow": "greeting" }',
    )
    for text in texts:
        anybody.post(RUNS, text, content_type="application/json", headers=KEY)
    assert Run.objects.count() == 1


def test_the_same_key_with_another_request(anybody: APIClient) -> None:
    start(anybody, "greeting", KEY, **ANN)
    problem(start(anybody, "greeting", KEY, input={"name": "Bob"}), 422, "key_reused")
    problem(send(anybody, {"type": "t"}, **KEY), 422, "key_reused")
    assert (Run.objects.count(), Event.objects.count()) == (1, 0)


def test_keys_belong_to_people(client_of: ClientOf) -> None:
    for _ in range(2):
        client = client_of(*PERMISSIONS)
        assert "Idempotent-Replayed" not in start(client, "greeting", KEY, **ANN)
    assert Run.objects.count() == 2


def test_a_replay_needs_the_permission_still(anybody: APIClient, client_of: ClientOf) -> None:
    client = client_of("start_run")
    start(client, "greeting", KEY, **ANN)
    user = User.objects.get(username="user2")
    user.user_permissions.clear()
    client.force_authenticate(User.objects.get(pk=user.pk))
    problem(start(client, "greeting", KEY, **ANN), 403, "permission_refused")


def test_a_refusal_is_not_kept(anybody: APIClient) -> None:
    problem(start(anybody, "greeting", KEY, input={}), 422, "input_invalid")
    problem(start(anybody, "greetin", KEY), 404, "not_found")
    assert not IdempotencyRecord.objects.exists()
    assert start(anybody, "greeting", KEY, **ANN).status_code == 202


def test_events_are_told_apart_by_their_headers(anybody: APIClient) -> None:
    headers = {f"ce-{name}": value for name, value in CLOUD.items()} | KEY
    first = send(anybody, None, **headers)
    assert first.status_code == 202, first.content
    assert send(anybody, None, **headers).json() == first.json()
    problem(send(anybody, None, **{**headers, "ce-id": "e2"}), 422, "key_reused")
    assert Event.objects.count() == 1


def test_publishing(anybody: APIClient) -> None:
    text = json.dumps({**GREETING, "title": "Hello"})
    address = f"{API}/workflows/greeting/versions/"
    first, again = (
        anybody.post(address, text, content_type="application/json", headers=KEY) for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["ETag"] == first["ETag"]
    assert WorkflowVersion.objects.filter(workflow__name="greeting").count() == 2


def test_cancelling(anybody: APIClient) -> None:
    run = start(anybody, "shop/order", input={"order": "7"}).json()["id"]
    first, again = (anybody.post(f"{RUNS}{run}/cancel/", {}, "json", headers=KEY) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)  # a second cancel is a conflict
    assert again.json() == first.json()
    problem(anybody.post(f"{RUNS}{run}/cancel/", {}, "json"), 409, "conflict")


@pytest.mark.parametrize("key", ["", "k" * 201, "caf\xe9", "a\tb", "a\x00"])
def test_odd_keys(anybody: APIClient, key: str) -> None:
    refused = start(anybody, "greeting", {"Idempotency-Key": key}, **ANN)
    problem(refused, 422, "input_invalid")
    assert not Run.objects.exists()


def test_the_longest_key(anybody: APIClient) -> None:
    for _ in range(2):
        start(anybody, "greeting", {"Idempotency-Key": "~ " * 100}, **ANN)
    assert Run.objects.count() == 1


def test_a_crash_before_the_answer_leaves_the_request_to_the_next(anybody: APIClient) -> None:
    # A process noted the request and died: its transaction, and its lock, are gone.
    control.begin_request("me", "k", "digest")
    answer, is_first = answer_once("me", "k", "digest", lambda: Answer(202, {"a": 1}))
    assert (answer, is_first) == (Answer(202, {"a": 1}), True)
    again, is_first = answer_once("me", "k", "digest", lambda: Answer(500, {}))
    assert (again, is_first) == (answer, False)


def test_a_failure_undoes_what_was_written(anybody: APIClient) -> None:
    def fail() -> Answer:
        start(anybody, "greeting", **ANN)
        raise LookupError

    with pytest.raises(LookupError):
        answer_once("me", "k", "digest", fail)
    assert not Run.objects.exists()
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_request_that_is_still_running_is_a_conflict(anybody: APIClient, engine: Harness) -> None:
    begun, ask_again = Barrier(2, timeout=20), Barrier(2, timeout=20)
    answers: list[Any] = []

    def slow() -> Answer:
        begun.wait()
        ask_again.wait()
        return Answer(202, {"a": 1})

    def first() -> None:
        try:
            answers.append(answer_once("me", "k", "digest", slow))
        finally:
            connections.close_all()

    thread = Thread(target=first)
    thread.start()
    begun.wait()
    with pytest.raises(ConflictError, match="still running"):
        answer_once("me", "k", "digest", lambda: Answer(500, {}))
    ask_again.wait()
    thread.join()
    assert answers == [(Answer(202, {"a": 1}), True)]
    assert answer_once("me", "k", "digest", slow) == (Answer(202, {"a": 1}), False)
    assert not connection.in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_a_run_with_a_key_moves_after_the_commit(anybody: APIClient, engine: Harness) -> None:
    prefer = {**KEY, "Prefer": "wait=0"}
    first = start(anybody, "greeting", prefer, **ANN)
    assert (first.status_code, first.json()["status"]) == (202, "pending")
    engine.drain()
    # The answer to the start is the first one; waiting shows the run as it is by now.
    again = start(anybody, "greeting", prefer, **ANN)
    assert (again.status_code, again.json()["status"]) == (200, "completed")
    assert again["Idempotent-Replayed"] == "true"
    assert start(anybody, "greeting", KEY, **ANN).json()["status"] == "pending"


def test_every_post_keeps_its_answer_but_those_about_tokens(anybody: APIClient) -> None:
    schema = anybody.get(f"{API}/schema/?format=json").json()
    without = set()
    for path, operations in schema["paths"].items():
        names = {one["name"] for one in operations.get("post", {}).get("parameters", ())}
        if "post" in operations and "Idempotency-Key" not in names:
            without.add(path.removeprefix(API))
    assert without == {"/auth/login/", "/auth/logout/"}
    assert EVENTS in schema["paths"]


def test_old_answers_are_forgotten_by_the_sweeper(anybody: APIClient, engine: Harness) -> None:
    first = start(anybody, "greeting", KEY, **ANN)
    engine.jump(hours=23, minutes=59)
    later = {"Idempotency-Key": "k2"}
    start(anybody, "greeting", later, **ANN)
    sweep()
    assert start(anybody, "greeting", KEY, **ANN)["Idempotent-Replayed"] == "true"
    engine.jump(minutes=2)
    sweep()
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["k2"]
    again = start(anybody, "greeting", KEY, **ANN)
    assert "Idempotent-Replayed" not in again
    assert again.json()["id"] != first.json()["id"]


def test_a_sweep_forgets_so_many_and_the_next_the_rest(
    anybody: APIClient, engine: Harness, settings: Any
) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "SWEEP_LIMIT": 2, "IDEMPOTENCY_SECONDS": 60.0}
    for number in range(5):
        start(anybody, "greeting", {"Idempotency-Key": f"k{number}"}, **ANN)
    engine.clock.move_to(engine.clock.moment + timedelta(seconds=61))
    left = []
    for _ in range(3):
        swept = sweep()
        assert swept is not None
        left.append((swept.forgotten, IdempotencyRecord.objects.count()))
    assert left == [(2, 3), (2, 1), (1, 0)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_request_that_is_carried_out_is_not_forgotten(engine: Harness) -> None:
    begun, go_on = Barrier(2, timeout=20), Barrier(2, timeout=20)

    def slow() -> Answer:
        begun.wait()
        go_on.wait()
        return Answer(202, {})

    def carry_out() -> None:
        try:
            answer_once("me", "k", "digest", slow)
        finally:
            connections.close_all()

    control.begin_request("me", "k", "digest")
    engine.clock.move_to(engine.clock.moment + timedelta(days=2))
    thread = Thread(target=carry_out)
    thread.start()
    begun.wait()
    sweep()
    go_on.wait()
    thread.join()
    assert IdempotencyRecord.objects.get().status == 202
    sweep()
    assert not IdempotencyRecord.objects.exists()
