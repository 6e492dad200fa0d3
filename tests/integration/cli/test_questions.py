"""answer and try: questions to people, and Celery tasks, from the command line."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.integration.cli.calling import Said, call
from tests.integration.cli.conftest import Write
from tests.support import celery_tasks  # noqa: F401 - registers them
from tests.support.builder import ask, celery_task, emit, end, wait_event, workflow
from workflows.models import Run
from workflows.testing import Harness

pytestmark = pytest.mark.django_db

FORM = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
ASKS = workflow("asks", ask("ask", "How many?", form=FORM), end(output={"n": "${output.n}"}))
ADDS = workflow(
    "adds",
    celery_task("add", "shop.add", args=["${one}", 2], kwargs={"times": 3}, result="sum"),
    end(output={"sum": "${sum}"}),
)


@pytest.fixture
def parked(engine: Harness) -> Run:
    engine.publish(ASKS)
    run = engine.start("asks", by=User.objects.create(username="alice"))
    engine.drain()
    return run


def attempt(name: str, data: Any = None, **more: Any) -> Said:
    words = [f"--{option}={json.dumps(value)}" for option, value in more.items()]
    return call("try", name, "--input", json.dumps(data or {}), *words, "--json")


# --- answer ----------------------------------------------------------------------------------


def test_alice_answers_and_the_run_goes_on(parked: Run, engine: Harness) -> None:
    words = ("answer", str(parked.pk), "--as", "alice", "--key", "k1", "--data", '{"n": 3}')
    said = call(*words, "--json")
    assert (said.code, said.json["by"], said.json["node"]) == (0, "alice", "ask")
    assert call(*words, "--json").json == said.json
    engine.drain()
    assert engine.result(parked).output == {"n": 3}


def test_show_says_what_is_asked_and_of_whom(parked: Run) -> None:
    (wait,) = call("show", str(parked.pk), "--json").json["waits"]
    assert (wait["what"], wait["who"]) == ("How many?", "alice")


def test_an_answer_that_does_not_fit_is_refused(parked: Run) -> None:
    said = call("answer", str(parked.pk), "--as", "alice", "--data", '{"n": "x"}', "--json")
    assert (said.code, said.json["error"]["code"]) == (2, "input_invalid")


def test_a_missing_answer_says_how_to_give_it(parked: Run) -> None:
    said = call("answer", str(parked.pk), "--as", "alice")
    assert said.code == 2
    assert "--data" in said.err


def test_a_stranger_is_refused(parked: Run) -> None:
    User.objects.create(username="nina")
    said = call("answer", str(parked.pk), "--as", "nina", "--data", '{"n": 1}', "--json")
    assert (said.code != 0, said.json["error"]["code"]) == (True, "permission_refused")


# --- try -------------------------------------------------------------------------------------


def test_try_takes_scripted_answers(write: Write) -> None:
    """Contract: Events: `[{"at": "PT5S", "event": {...}} | {"at": ..., "answer": {"node": ..., "decision": ..., "data": ...}}]`."""  # noqa: E501
    answer = {"at": "PT5S", "answer": {"node": "ask", "data": {"n": 4}}}
    report = attempt(write(ASKS), events=[answer]).json
    told = (report["status"], report["output"], report["virtual_duration_s"])
    assert told == ("completed", {"n": 4}, 5)


def test_try_refuses_an_answer_that_nobody_could_give(write: Write) -> None:
    answer = {"answer": {"node": "ask", "data": {"n": "many"}}}
    said = attempt(write(ASKS), events=[answer])
    assert (said.code, said.json["error"]["code"]) == (2, "input_invalid")


def test_try_asks_one_question_after_the_other(write: Write) -> None:
    nodes = ASKS["nodes"]
    nodes = [
        {"id": "start", "type": "start", "next": ["one", "two"]},
        ask("one", next=None),
        ask("two", timeout="PT1M", on_timeout="late", next=None),
        end("late", output={"late": True}),
    ]
    answers = [{"at": at, "answer": {"node": "one", "data": 1}} for at in ("PT1H",)]
    del nodes[1]["next"], nodes[2]["next"]
    report = attempt(write({"workflow": "two", "nodes": nodes}), events=answers).json
    assert report["status"] == "completed"
    assert report["virtual_duration_s"] == 3660  # the second was asked after an hour


def test_try_answers_tasks_from_stubs_under_their_names(write: Write) -> None:
    stubs = {"shop.add": [{"output": 17}]}
    report = attempt(write(ADDS), {"one": 1}, stubs=stubs).json
    assert (report["status"], report["output"]) == ("completed", {"sum": 17})
    failing = {"shop.add": [{"error": {"code": "out_of_stock", "message": "None left."}}]}
    report = attempt(write(ADDS), {"one": 1}, stubs=failing).json
    told = {name: report["error"][name] for name in ("code", "message", "node")}
    assert told == {"code": "out_of_stock", "message": "None left.", "node": "add"}


def test_try_runs_no_real_task_unless_it_may(write: Write) -> None:
    report = attempt(write(ADDS), {"one": 1}).json
    assert (report["status"], report["error"]["code"]) == ("failed", "no_stub")
    said = call("try", write(ADDS), "--input", '{"one": 1}', "--real-activities", "--json")
    assert said.json["output"] == {"sum": 9}


def test_try_and_publish_warn_of_a_task_that_nobody_has(write: Write) -> None:
    definition = json.loads(json.dumps(ADDS).replace("shop.add", "shop.ad"))
    said = call("validate", write(definition), "--json")
    assert said.code == 0
    (warning,) = said.json["files"][0]["warnings"]
    assert warning["code"] == "unknown_task"
    assert "did you mean 'shop.add'" in warning["message"]
    stubs = {"shop.ad": [{"output": 1}]}
    assert attempt(write(definition), {"one": 1}, stubs=stubs).json["output"] == {"sum": 1}


def test_try_gives_an_event_to_its_own_wait(write: Write) -> None:
    definition = workflow(
        "tells", emit("tell", "x", data=1), wait_event("ask", "x"), end(output={"e": "${event.id}"})
    )
    report = attempt(write(definition)).json
    assert report["status"] == "completed"
    assert report["output"]["e"].endswith(":1")
