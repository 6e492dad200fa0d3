"""try: what is said of stubs, events and answers that are not as they should be."""

import json
from typing import Any

import pytest

from tests.integration.cli.calling import Said, call
from tests.integration.cli.conftest import Write
from tests.support.builder import (
    activity,
    ask,
    code,
    delay,
    each,
    end,
    gosub,
    wait_event,
    workflow,
)
from workflows.services.secrets import set_secret

pytestmark = pytest.mark.django_db

FORM = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
ASKING = workflow("asking", ask("ask", form=FORM), activity("pay", "shop.pay"), end())
PAID: dict[str, Any] = {"shop.pay": [{"output": 1}]}


def attempt(name: str, *, stubs: Any = PAID, events: Any = (), words: tuple[str, ...] = ()) -> Said:
    given = (f"--stubs={json.dumps(stubs)}", f"--events={json.dumps(events)}")
    return call("try", name, *given, *words)


def told(name: str, **more: Any) -> Any:
    return attempt(name, words=("--json",), **more).json


@pytest.mark.parametrize(
    ("stubs", "pointer", "message"),
    [
        ({"a": [{"outptu": 1}]}, "/a/0/outptu", "'a', answer 1: unknown field 'outptu' (did you"),
        ({"a": {"output": 1}}, "/a", "'a': expected a list, got an object"),
        ({"a": [{"output": 1}, 5]}, "/a/1", "'a', answer 2: expected an object, got the number 5"),
        ({"a": [{"error": {"cod": "x"}}]}, "/a/0/error/cod", "'a', answer 1: unknown field 'cod'"),
        ([], "", "expected an object, got a list"),
    ],
)
def test_stubs_that_cannot_be_used_are_named(
    write: Write, stubs: Any, pointer: str, message: str
) -> None:
    said = attempt(write(ASKING), stubs=stubs, words=("--json",))
    (problem,) = said.json["error"]["problems"]
    assert (problem["pointer"], problem["message"].startswith(message)) == (pointer, True)
    assert said.json["error"]["message"].startswith(f"The stubs cannot be used: {message}")
    assert "Mend --stubs and try again" in said.err
    assert said.err.count(message) == 1


@pytest.mark.parametrize(
    ("events", "pointer", "message"),
    [
        ([{"answr": {"node": "ask"}}], "/0/answr", "entry 1: unknown field 'answr' (did you mean"),
        ([{"event": {"type": "a"}}, {"at": "1 day"}], "/1/at", "entry 2: expected an ISO 8601"),
        ([{"at": "P99999999D", "event": {"type": "a"}}], "/0/at", "entry 1: expected an ISO 8601"),
        ([{"event": {"type": "a", "ttl": "P99999D"}}], "/0/event/ttl", "entry 1: expected an ISO"),
        ({"at": "PT5S"}, "", "expected a list, got an object"),
    ],
)
def test_events_that_cannot_be_used_are_named(
    write: Write, events: Any, pointer: str, message: str
) -> None:
    said = attempt(write(ASKING), events=events, words=("--json",))
    (problem,) = said.json["error"]["problems"]
    assert (problem["pointer"], problem["message"].startswith(message)) == (pointer, True)
    assert "Mend --events and try again" in said.err


@pytest.mark.parametrize("option", ["--stubs", "--events", "--input"])
def test_json_that_cannot_be_read_is_blamed_on_its_option(write: Write, option: str) -> None:
    said = call("try", write(ASKING), option, "[{]")
    assert said.err.startswith(f"{option}:1:3: this is no JSON")


def test_a_decision_does_not_answer_a_question(write: Write) -> None:
    answer = {"node": "ask", "decision": "approve"}
    said = attempt(write(ASKING), events=[{"answer": answer}], words=("--json",))
    report = said.json
    assert (said.code, report["status"], report["source"]) == (2, "invalid", "events")
    (problem,) = report["problems"]
    assert problem["pointer"] == "/0/answer/decision"
    assert "'ask'" in problem["message"]
    assert "is not answered by 'decision'; it takes `data`" in problem["message"]
    assert "Mend that entry of --events" in said.err


def test_a_decision_beside_the_data_of_a_question_is_a_warning(write: Write) -> None:
    answers = [{"node": "end"}, {"node": "ask", "decision": "approve", "data": {"n": 1}}]
    report = told(write(ASKING), events=[{"answer": each} for each in answers])
    assert report["status"] == "completed"
    (warning,) = report["warnings"]
    place = (warning["source"], warning["pointer"], warning["severity"])
    assert place == ("events", "/1/answer/decision", "warning")


def test_an_answer_for_a_node_that_is_none_is_warned_of(write: Write) -> None:
    answers = [{"node": "ask", "data": {"n": 1}}, {"node": "aks", "data": {"n": 1}}]
    report = told(write(ASKING), events=[{"answer": each} for each in answers])
    (warning,) = report["warnings"]
    assert (warning["code"], warning["source"]) == ("unknown_node", "events")
    assert warning["pointer"] == "/1/answer/node"
    assert warning["message"] == "there is no node 'aks' (did you mean 'ask'?)"


def test_what_is_off_can_be_allowed_or_stubbed(write: Write) -> None:
    said = attempt(write(workflow("coded", code("work", "context['a'] = 1"), end())), stubs={})
    assert "is 'off'" in said.out
    assert "; 'isolated' allows them in a sandbox." in said.out
    assert "Allow the kind by its setting, or give its answers with --stubs." in said.err


def test_an_answer_that_does_not_fit_is_found_in_the_events(write: Write) -> None:
    late = {"at": "PT9S", "answer": {"node": "ask", "data": {"n": 1}}}
    odd = {"at": "PT5S", "answer": {"node": "ask", "data": {"n": "x"}}}
    said = attempt(write(ASKING), events=[late, odd])
    assert said.out.startswith("--events: schema_type: the answer of 'ask' after 5.0 s: expected a")
    assert "(at /1/answer/data/n)" in said.out
    assert said.err.startswith("--events: invalid: 1 problem, listed above.\nMend that entry")


def test_an_event_that_is_refused_is_found_in_the_events(write: Write) -> None:
    report = told(write(ASKING), events=[{"event": {"type": "a\0"}}])
    assert (report["status"], report["source"]) == ("invalid", "events")
    assert report["problems"][0]["pointer"].startswith("/0/event")


def test_stubs_that_nobody_calls_are_warned_of(write: Write) -> None:
    stubs = {**PAID, "shop.pya": PAID["shop.pay"], "shop.pay:pya": PAID["shop.pay"]}
    answer = {"answer": {"node": "ask", "data": {"n": 1}}}
    report = told(write(ASKING), stubs=stubs, events=[answer])
    found = {each["pointer"]: (each["code"], each["message"]) for each in report["warnings"]}
    assert found == {
        "/shop.pya": ("unknown_stub", "no node calls 'shop.pya' (did you mean 'shop.pay'?)"),
        "/shop.pay:pya": (
            "unknown_stub",
            "no node 'pya' calls 'shop.pay' (did you mean 'pay'?)",
        ),
    }
    asleep = attempt(write(ASKING))
    assert "--stubs: warning: unused_stub: 'shop.pay' was never called" in asleep.out


def test_stubs_of_undoing_of_tasks_and_of_other_kinds_are_known(write: Write) -> None:
    undone = activity("a", "shop.a", compensate={"activity": "shop.undo"})
    http = {"id": "h", "type": "http", "url": "https://a.example/"}
    task = {"id": "t", "type": "celery_task", "task": "shop.t"}
    answer: Any = [{"output": {}}]
    stubs = {"shop.a:a": answer, "shop.undo": answer, "http:h": answer, "shop.t": answer}
    report = told(write(workflow("all", undone, http, task, end())), stubs=stubs)
    assert report["status"] == "completed"
    assert [each["message"] for each in report["warnings"] if each["source"] == "stubs"] == [
        "'shop.undo' was never called"
    ]


def test_warnings_of_a_definition_are_told_beside_its_problems(write: Write) -> None:
    form = {"type": "object", "properties": {"n": {}}, "required": ["n"]}
    node = {"id": "s", "type": "switch", "choices": [], "default": "nowhere"}
    choices = [{"when": "n > 1", "next": "end"}, {"when": "n > 1", "next": "end"}]
    broken = workflow("w", {**node, "choices": choices}, end(), input=form)
    file = write(broken)
    report = told(file)
    assert [each["code"] for each in report["problems"]] == ["unknown_node"]
    assert [each["source"] for each in report["warnings"]] == [file]
    refused = call("publish", file).err
    assert refused.index(": unknown_node: ") < refused.index(": warning: repeated_condition: ")
    (checked,) = call("validate", file, "--json").json["files"]
    assert len(checked["warnings"]) == len(checked["problems"]) == 1


def test_a_refused_trial_says_its_problem_once(write: Write) -> None:
    said = attempt(write(workflow("w", {**end(), "result": "okay"})))
    assert (said.out + said.err).count("got the text 'okay'") == 1
    assert "virtual time" not in said.out


def test_children_are_told_in_the_order_of_their_starts(write: Write) -> None:
    write(workflow("child", delay("d", "${wait}"), end()), "child.yaml")
    call_it = gosub("call", "child", input={"wait": "${item}", "n": "${index}"}, next=None)
    last = gosub("last", "child", input={"wait": "PT1S", "n": 8})
    file = write(workflow("top", each("m", "call", next="last"), call_it, last, end()))
    rows = [f"PT{9 - number}S" for number in range(8)]
    said = call("try", file, "--input", json.dumps({"items": rows}), "--json")
    assert [each["input"]["n"] for each in said.json["children"]] == list(range(9))
    drawn = call("try", file, "--input", json.dumps({"items": rows})).out
    assert 'input: {"wait": "PT1S", "n": 8}' in drawn


def test_what_sleeps_for_a_person_says_since_when(write: Write) -> None:
    file = write(workflow("w", delay("d", "PT5S"), wait_event("e", "paid", key="'7'"), end()))
    (wait,) = told(file)["suspensions"]
    assert (wait["node"], wait["event"], wait["key"], wait["since_s"]) == ("e", "paid", "7", 5)


SECRET = {"Authorization": {"secret": "token", "prefix": "Bearer "}}
CALL = {"id": "call", "type": "http", "url": "https://a.example/", "headers": SECRET, "next": "end"}


def test_a_trial_says_that_it_has_no_secrets(write: Write) -> None:
    set_secret("token", "a-value-of-yours")
    name = write(workflow("calling", CALL, end()))
    report = attempt(name, stubs={}, words=("--json", "--real-activities")).json
    assert (report["error"]["code"], report["warnings"]) == ("secret_unknown", [])
    assert report["error"]["message"].startswith("A trial has no secrets: give answers of 'http'")


def test_a_stub_needs_no_secret(write: Write) -> None:
    report = told(write(workflow("calling", CALL, end())), stubs={"http": [{"output": {}}]})
    assert (report["status"], report["warnings"]) == ("completed", [])
