"""Questions over REST: what waits for me, and my answer."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from rest_framework.test import APIClient

from tests.integration.api.asking import API, problem
from tests.support.builder import ask, end, fan_in, fan_out, workflow
from workflows.models import Run, Suspension
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)

QUESTIONS = f"{API}/questions/"
FORM = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.fixture
def lena(transactional_db: None) -> APIClient:
    """Somebody of legal who may do nothing else."""
    user = User.objects.create(username="lena")
    user.groups.add(Group.objects.create(name="legal"))
    return client_as(user)


def client_as(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def run(engine: Harness, lena: APIClient) -> Run:
    """A run that asks legal twice."""
    to = {"groups": ["legal"]}
    definition = workflow(
        "asks",
        fan_out("f", a="a", b="b"),
        ask("a", "First?", form=FORM, to=to, timeout="P1D", next="j"),
        ask("b", "Second?", to=to, next="j"),
        fan_in("j"),
        end(),
    )
    engine.publish(definition)
    begun = engine.start("asks")
    engine.drain()
    return begun


def listed(client: APIClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(QUESTIONS, query)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def give(client: APIClient, question: Any, body: Any, **headers: str) -> Any:
    return client.post(f"{QUESTIONS}{question}/answer/", body, "json", headers=headers)


def test_what_waits_for_me_is_listed(run: Run, lena: APIClient) -> None:
    (question,) = listed(lena)
    assert (question["prompt"], question["form"], question["node"]) == ("First?", FORM, "a")
    assert (question["groups"], question["users"], question["state"]) == (["legal"], [], "open")
    assert (question["run"], question["workflow"]) == (str(run.pk), "asks")
    assert question["due_at"] == "2030-01-02T00:00:00Z"
    shown = lena.get(f"{QUESTIONS}{question['id']}/").json()
    assert shown == question
    assert listed(lena, run=str(run.pk)) == [question]
    assert listed(lena, workflow="other") == []
    problem(lena.get(QUESTIONS, {"status": "open"}), 400, "query_invalid")


def test_who_is_not_asked_sees_nothing(run: Run, lena: APIClient) -> None:
    (question,) = listed(lena)
    nina = client_as(User.objects.create(username="nina"))
    assert listed(nina) == []
    problem(nina.get(f"{QUESTIONS}{question['id']}/"), 404, "not_found")
    problem(give(nina, question["id"], {"data": {"n": 1}}), 404, "not_found")
    problem(APIClient().get(QUESTIONS), 401, "not_authenticated")


def test_an_answer_asks_the_next(run: Run, lena: APIClient, engine: Harness) -> None:
    (first,) = listed(lena)
    told = give(lena, first["id"], {"data": {"n": 1}}, **{"Idempotency-Key": "k1"})
    assert told.status_code == 200
    assert (told.json()["by"], told.json()["node"]) == ("lena", "a")
    (second,) = listed(lena)
    assert (second["prompt"], second["form"], second["due_at"]) == ("Second?", None, None)
    again = give(lena, first["id"], {"data": {"n": 1}}, **{"Idempotency-Key": "k1"})
    assert (again.json(), again["Idempotent-Replayed"]) == (told.json(), "true")
    assert give(lena, second["id"], {"data": None}).status_code == 200
    engine.drain()
    assert engine.result(run).status == "completed"
    closed = lena.get(f"{QUESTIONS}{first['id']}/").json()
    assert (closed["state"], closed["closed_by"]) == ("resolved", "lena")


def test_refusals(run: Run, lena: APIClient) -> None:
    (first,) = listed(lena)
    refused = problem(give(lena, first["id"], {"data": {"n": "x"}}), 422, "input_invalid")
    assert refused["errors"][0]["pointer"] == "/data/n"
    problem(give(lena, first["id"], {}), 422, "input_invalid")
    problem(give(lena, first["id"], {"data": {"n": 1}, "by": "x"}), 422, "input_invalid")
    queued = Suspension.objects.get(run=run, node="b")
    problem(give(lena, queued.pk, {"data": 1}), 404, "not_found")
    give(lena, first["id"], {"data": {"n": 1}}, **{"Idempotency-Key": "k1"})
    late = problem(give(lena, first["id"], {"data": {"n": 1}}), 409, "conflict")
    assert late["details"]["closed_by"] == "lena"
    reused = give(lena, first["id"], {"data": {"n": 2}}, **{"Idempotency-Key": "k1"})
    problem(reused, 422, "key_reused")
