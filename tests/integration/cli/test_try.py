"""try: a definition runs to its end in process, whatever the database is."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from tests.integration.cli.calling import Said, call
from tests.integration.cli.conftest import REFUND, Write
from tests.support.builder import end, workflow
from tests.support.isolation import require_sandbox
from workflows.activities import nameable
from workflows.models import Run, Workflow

pytestmark = pytest.mark.django_db

STUBBED: dict[str, Any] = {
    "workflow": "stubbed",
    "nodes": [
        {"id": "start", "type": "start", "next": "pay"},
        {
            "id": "pay",
            "type": "activity",
            "activity": "shop.pay",
            "retry": {"attempts": 3, "backoff": "PT10S", "unless": ["no_stub"]},
            "result": "paid",
            "next": "done",
        },
        {"id": "done", "type": "end", "output": {"paid": "${paid}"}},
    ],
}


def attempt(name: str, data: Any = None, **more: Any) -> Said:
    words = [f"--{option}={json.dumps(value)}" for option, value in more.items()]
    return call("try", name, "--input", json.dumps(data or {}), *words, "--json")


def waiting(**fields: Any) -> dict[str, Any]:
    nodes: list[dict[str, Any]] = [
        {"id": "start", "type": "start", "next": "wait"},
        {"id": "wait", "type": "wait_event", "event": "paid", "next": "done", **fields},
        {"id": "done", "type": "end"},
    ]
    return {"workflow": "waiting", "nodes": nodes}


def test_a_run_completes(refund: str) -> None:
    said = attempt(refund, {"amount": 5})
    assert said.code == 0
    report = said.json
    told = (report["status"], report["result"], report["output"], report["error"])
    assert told == ("completed", "ok", {"amount": 5}, None)
    steps = [(each["node"], each["kind"], each["from"]) for each in report["nodes"]]
    assert steps == [
        ("start", "start", None),
        ("large", "switch", "start"),
        ("done", "end", "large"),
    ]
    assert (report["suspensions"], report["children"], report["virtual_duration_s"]) == ([], [], 0)


def test_nothing_of_it_is_in_the_real_database(refund: str) -> None:
    attempt(refund, {"amount": 5})
    assert not Run.objects.exists()
    assert not Workflow.objects.exists()


def test_the_nth_call_takes_the_nth_answer(write: Write) -> None:
    busy = {"error": {"code": "busy", "message": "Later."}}
    stubs = {"shop.pay": [busy, busy, {"output": {"id": 1}}]}
    report = attempt(write(STUBBED), stubs=stubs).json
    assert report["output"] == {"paid": {"id": 1}}
    tries = [(each["attempt"], each["status"]) for each in report["nodes"] if each["node"] == "pay"]
    assert tries == [(1, "failed"), (2, "failed"), (3, "completed")]
    assert report["virtual_duration_s"] == 30


def test_the_last_answer_repeats(write: Write) -> None:
    said = attempt(write(STUBBED), stubs={"shop.pay": [{"error": {"code": "broken"}}]})
    assert said.code == 1
    error = {name: said.json["error"][name] for name in ("code", "node", "attempt")}
    assert (said.json["status"], error) == (
        "failed",
        {"code": "broken", "node": "pay", "attempt": 3},
    )


def test_a_stub_can_stand_in_at_one_node(write: Write) -> None:
    start, pay, done = STUBBED["nodes"]
    first = {**pay, "id": "first", "next": "pay", "result": "first"}
    output = {"first": "${first}", "paid": "${paid}"}
    document = {
        **STUBBED,
        "nodes": [{**start, "next": "first"}, first, pay, {**done, "output": output}],
    }
    stubs = {"shop.pay:first": [{"output": 1}], "shop.pay": [{"output": 2}]}
    report = attempt(write(document), stubs=stubs).json
    assert report["output"] == {"first": 1, "paid": 2}
    missing = attempt(write(document), stubs={"shop.pay:first": [{"output": 1}]}).json
    assert (missing["error"]["code"], missing["error"]["node"]) == ("no_stub", "pay")


def test_a_registered_activity_without_a_stub_fails(write: Write) -> None:
    name = min(nameable())
    definition = json.loads(json.dumps(STUBBED).replace("shop.pay", name))
    report = attempt(write(definition)).json
    assert (report["status"], report["error"]["code"]) == ("failed", "no_stub")
    assert name in nameable()


def test_an_activity_that_nobody_knows_makes_it_invalid(write: Write) -> None:
    said = attempt(write(STUBBED))
    assert (said.code, said.json["status"]) == (2, "invalid")
    (problem,) = said.json["problems"]
    assert (problem["code"], problem["line"] is not None) == ("unknown_activity", True)
    assert "--stubs" in said.err


def test_a_refused_input_is_invalid(refund: str) -> None:
    said = attempt(refund, {"amount": "x"})
    assert (said.code, said.json["status"]) == (2, "invalid")
    assert said.json["problems"][0]["pointer"] == "/amount"
    assert "Give the input that the workflow asks for with --input" in said.err


@pytest.mark.parametrize("given", [(), ("--input", '{"amount": "\\ud800"}')])
def test_a_missing_or_odd_input_is_blamed_on_the_input(refund: str, given: tuple[str, ...]) -> None:
    said = call("try", refund, *given)
    assert said.code == 2
    assert said.out.startswith("--input: ")
    assert said.err.startswith("--input: invalid: ")
    assert refund not in said.out + said.err


def test_a_wrong_definition_is_blamed_on_its_file(write: Write) -> None:
    file = write("workflow: a\nnodes: []")
    said = call("try", file)
    assert said.code == 2
    assert said.err.startswith(f"{file}: invalid: ")
    assert "--input" not in said.err


def test_an_answer_comes_at_its_time(refund: str) -> None:
    answer = {"node": "ask", "decision": "approve", "data": {"ticket": "T-1"}}
    report = attempt(refund, {"amount": 600}, events=[{"at": "PT5S", "answer": answer}]).json
    assert (report["status"], report["virtual_duration_s"]) == ("completed", 5)
    decision = next(each for each in report["nodes"] if each["node"] == "ask")["output"]["decision"]
    assert (decision["decision"], decision["form"]) == ("approved", {"ticket": "T-1"})


def test_a_rejection_goes_its_way(refund: str) -> None:
    answer = {"node": "ask", "decision": "reject", "comment": "Too much."}
    report = attempt(refund, {"amount": 600}, events=[{"answer": answer}]).json
    assert (report["result"], report["reason"]) == ("blocked", "Too much.")


def test_an_answer_that_no_person_could_give_is_refused(refund: str) -> None:
    said = attempt(refund, {"amount": 600}, events=[{"answer": {"node": "ask", "decision": "eh"}}])
    assert (said.code, said.json["error"]["code"]) == (2, "input_invalid")


def test_a_run_that_sleeps_on_and_on_is_suspended(refund: str) -> None:
    unused = [{"at": "PT1S", "answer": {"node": "nobody"}}]
    said = attempt(refund, {"amount": 600}, events=unused)
    assert (said.code, said.json["status"]) == (0, "suspended")
    (wait,) = said.json["suspensions"]
    assert (wait["node"], wait["kind"], wait["since_s"], wait["wake_at"]) == (
        "ask",
        "person",
        0,
        None,
    )
    assert said.json["unused"][0]["answer"]["node"] == "nobody"


def test_time_jumps_to_timers_and_to_limits_of_waits(write: Write) -> None:
    report = attempt(write(waiting(timeout="P2D", on_timeout="done"))).json
    assert (report["status"], report["virtual_duration_s"]) == ("completed", 2 * 86400)


@pytest.mark.parametrize("at", ["PT0S", "PT3S", "P1D"])
def test_an_event_wakes_its_wait(write: Write, at: str) -> None:
    event = {"type": "paid", "data": {"by": "card"}}
    report = attempt(write(waiting()), events=[{"at": at, "event": event}]).json
    assert report["status"] == "completed"
    assert report["output"]["event"]["data"] == {"by": "card"}


def test_an_event_before_the_limit_of_its_wait_is_first(write: Write) -> None:
    events = [{"at": "PT5S", "event": {"type": "paid"}}]
    late = {"timeout": "PT5S", "on_timeout": "late"}
    definition = waiting(**late)
    definition["nodes"].append({"id": "late", "type": "end", "result": "blocked"})
    report = attempt(write(definition), events=events).json
    assert report["result"] == "ok"


@pytest.mark.parametrize(
    ("option", "value", "pointer"),
    [
        ("stubs", {"a": [{"outputs": 1}]}, "/a/0"),
        ("stubs", {"a": []}, "/a"),
        ("stubs", [], ""),
        ("events", [{"at": "soon", "event": {"type": "x"}}], "/0/at"),
        ("events", [{"at": "PT1S"}], "/0"),
        ("events", [{"event": {"kind": "x"}}], "/0/event"),
    ],
)
def test_a_bad_script_is_refused(refund: str, option: str, value: Any, pointer: str) -> None:
    said = attempt(refund, {"amount": 5}, **{option: value})
    assert (said.code, said.json["error"]["code"]) == (2, "input_invalid")
    assert said.json["error"]["problems"][0]["pointer"].startswith(pointer)


def test_every_order_gives_the_same(write: Write) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "each"},
        {"id": "each", "type": "map", "items": "rows", "process": "double", "next": "done"},
        {"id": "double", "type": "edit", "entries": [{"set": "output", "value": "${item * 2}"}]},
        {"id": "done", "type": "end", "output": {"all": "${output}"}},
    ]
    name = write({"workflow": "each", "nodes": nodes})
    rows = list(range(30))
    found = [attempt(name, {"rows": rows}, seed=seed).json["output"] for seed in (1, 2, 3)]
    assert found == [{"all": [2 * row for row in rows]}] * 3


def test_now_can_be_said(write: Write) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "wait"},
        {"id": "wait", "type": "delay", "until": "2031-01-01T00:00:00Z", "next": "done"},
        {"id": "done", "type": "end"},
    ]
    name = write({"workflow": "delayed", "nodes": nodes})
    said = call("try", name, "--now", "2030-12-31T00:00:00Z", "--json")
    assert said.json["virtual_duration_s"] == 86400
    assert "RFC 3339" in call("try", name, "--now", "today").err


def test_people_see_the_steps(write: Write) -> None:
    said = call("try", write(REFUND), "--input", '{"amount": 5}')
    assert "large" in said.out
    assert "completed (ok) after 0 ms of virtual time" in said.out


def test_what_is_drawn_into_a_pipe_has_no_blanks_at_its_lines_ends(write: Write) -> None:
    said = call("try", write(REFUND), "--input", '{"amount": 5}')
    lines = said.out.splitlines()
    assert [line for line in lines if line != line.rstrip()] == []
    assert any(line.startswith("start") and "  start" in line for line in lines)


def test_a_large_output_is_shortened_for_people(write: Write) -> None:
    large = workflow("large", end(output={"b": "y" * 9000}))
    said = call("try", write(large))
    (line,) = [each for each in said.out.splitlines() if each.startswith("output: ")]
    assert len(line) < 5000
    assert line.endswith("... (all of it with --json)")
    assert call("try", write(large), "--json").json["output"]["b"] == "y" * 9000


@pytest.mark.parametrize("now", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"])
def test_a_start_at_the_ends_of_the_calendar_is_refused(refund: str, now: str) -> None:
    said = call("try", refund, "--now", now)
    assert (said.code, "between the years 1900 and 9000" in said.err) == (2, True)


CODED: dict[str, Any] = {
    "workflow": "coded",
    "nodes": [
        {"id": "start", "type": "start", "next": "work"},
        {"id": "work", "type": "code", "source": "context['n'] += 1", "next": "call"},
        {"id": "call", "type": "http", "url": "https://a.example/", "result": "n"},
    ],
}


def test_code_that_is_off_is_refused_unless_a_stub_stands_in(write: Write) -> None:
    refused = attempt(write(CODED), {"n": 1})
    assert (refused.code, refused.json["status"]) == (2, "invalid")
    assert [each["code"] for each in refused.json["problems"]] == ["not_allowed"]
    for name in ("code", "code:work"):
        stubs = {name: [{"output": {"n": 7}}], "http:call": [{"output": {"status": 200}}]}
        report = attempt(write(CODED), {"n": 1}, stubs=stubs).json
        assert (report["status"], report["output"]) == ("completed", {"n": {"status": 200}})
        assert [each["output"] for each in report["nodes"]][1] == {"n": 7}


def test_code_in_the_sandbox_is_run_without_a_stub(write: Write, settings: Settings) -> None:
    require_sandbox()
    settings.CELERIAC = {**settings.CELERIAC, "CODE": "isolated"}
    report = attempt(write(CODED), {"n": 1}).json
    assert report["nodes"][1]["output"] == {"n": 2}
    assert (report["error"]["code"], report["error"]["node"]) == ("no_stub", "call")


def test_trusted_code_is_not_run_in_a_trial(write: Write, settings: Settings) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "CODE": "trusted"}
    report = attempt(write(CODED), {"n": 1}).json
    assert (report["error"]["code"], report["error"]["node"]) == ("no_stub", "work")
