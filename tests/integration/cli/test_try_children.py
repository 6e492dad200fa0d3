"""try: the workflows that a definition calls are found beside it, and told of in its report."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.calling import Said, call
from tests.integration.cli.conftest import Write
from tests.support.builder import (
    activity,
    delay,
    each,
    edit,
    end,
    gosub,
    switch,
    wait_event,
    workflow,
)

pytestmark = pytest.mark.django_db

ASK = {"id": "ask", "type": "approval", "to": {"groups": ["legal"]}, "on_reject": "no"}
PAY = workflow(
    "shop/pay",
    switch("big", "done", ask="sum > 10"),
    {**ASK, "next": "done"},
    end("done", output={"ok": True}),
    end("no", output={"ok": False}, result="blocked", reason="too dear"),
)
ORDER = workflow(
    "shop/order",
    gosub("pay", "shop/pay", input={"sum": "${total}"}, output={"paid": "${child.output.ok}"}),
    end(),
)


def attempt(name: str, data: Any = None, **more: Any) -> Said:
    words = [f"--{option}={json.dumps(value)}" for option, value in more.items()]
    return call("try", name, "--input", json.dumps(data or {}), *words, "--json")


def test_the_workflows_that_it_calls_are_found_beside_it(write: Write) -> None:
    write("{this: is no definition", "broken.yaml")
    write({"shop.pay": []}, "stubs.json")
    write(workflow("other", end()), "other.yml")
    write(PAY, "any-name.yml")
    said = attempt(write(ORDER, "order.yaml"), {"total": 5})
    assert (said.code, said.json["output"]) == (0, {"total": 5, "paid": True})
    (child,) = said.json["children"]
    told = {key: child[key] for key in ("workflow", "version", "node", "attempt", "status")}
    assert told == {
        "workflow": "shop/pay",
        "version": 1,
        "node": "pay",
        "attempt": 1,
        "status": "completed",
    }
    assert (child["input"], child["output"]) == ({"sum": 5}, {"ok": True})
    assert [step["node"] for step in child["nodes"]] == ["start", "big", "done"]


def test_answers_reach_the_children(write: Write) -> None:
    write(PAY, "pay.yaml")
    answer = {"at": "P1D", "answer": {"node": "ask", "decision": "reject"}}
    said = attempt(write(ORDER, "order.yaml"), {"total": 50}, events=[answer])
    assert said.json["output"] == {"total": 50, "paid": False}
    (child,) = said.json["children"]
    assert (child["result"], child["reason"]) == ("blocked", "too dear")
    assert child["virtual_duration_s"] == said.json["virtual_duration_s"] == 86400


def test_what_a_child_still_waits_for_is_listed_with_the_child(write: Write) -> None:
    write(PAY, "pay.yaml")
    said = attempt(write(ORDER, "order.yaml"), {"total": 50})
    report = said.json
    assert (said.code, report["status"]) == (0, "suspended")
    assert [(each["node"], each["kind"]) for each in report["suspensions"]] == [("pay", "child")]
    (child,) = report["children"]
    assert [(each["node"], each["kind"]) for each in child["suspensions"]] == [("ask", "person")]


def test_events_and_stubs_reach_the_children_of_children(write: Write) -> None:
    leaf = workflow(
        "leaf",
        wait_event("wait", "paid", key="'k'"),
        activity("a", "shop.book", result="booked"),
        end(output={"booked": "${booked}"}),
    )
    write(json.dumps(leaf), "c.json")
    write(workflow("branch", gosub("down", "leaf"), end()), "b.yaml")
    name = write(workflow("tree", gosub("down", "branch"), end()), "a.yaml")
    event = {"at": "PT5S", "event": {"type": "paid", "key": "k"}}
    report = attempt(name, events=[event], stubs={"shop.book": [{"output": 7}]}).json
    assert report["output"] == {"booked": 7}
    assert report["children"][0]["children"][0]["workflow"] == "leaf"
    assert report["unused"] == []


def test_a_detached_child_is_played_to_its_end_too(write: Write) -> None:
    write(workflow("sub", delay("nap", "PT1H"), end(output={"late": True})), "sub.yaml")
    call_it = gosub("call", "sub", mode="detach")
    report = attempt(write(workflow("main", call_it, end()), "main.yaml")).json
    assert (report["status"], report["virtual_duration_s"]) == ("completed", 0)
    (child,) = report["children"]
    assert (child["status"], child["virtual_duration_s"]) == ("completed", 3600)


def test_a_workflow_that_calls_itself_needs_no_other_file(write: Write) -> None:
    again = gosub("again", "count", input={"n": "${n - 1}"}, next="done")
    name = write(
        workflow("count", switch("more", "done", again="n > 0"), again, end("done")), "count.yaml"
    )
    report = attempt(name, {"n": 2}).json
    assert report["status"] == "completed"
    assert report["children"][0]["children"][0]["children"] == []


def test_a_called_workflow_that_is_nowhere_is_refused(write: Write) -> None:
    write(PAY, "pay.yaml")
    said = attempt(write(workflow("main", gosub("call", "shop/play"), end()), "main.yaml"))
    assert said.code == 2
    (problem,) = said.json["problems"]
    assert problem["code"] == "unknown_workflow"


def test_what_is_wrong_with_a_called_file_is_told_with_its_name(write: Write) -> None:
    bad = write(workflow("sub", {"id": "x", "type": "edit"}), "sub.yaml")
    name = write(workflow("main", gosub("call", "sub"), end()), "main.yaml")
    said = attempt(name)
    assert (said.code, said.json["status"], said.json["source"]) == (2, "invalid", bad)
    drawn = call("try", name)
    assert f"{bad}:" in drawn.out


def test_two_reports_of_the_same_trial_are_the_same(write: Write) -> None:
    write(PAY, "pay.yaml")
    name = write(ORDER, "order.yaml")
    words = ("try", name, "--input", '{"total": 5}', "--now", "2030-01-01T00:00:00Z", "--json")
    assert call(*words).out == call(*words).out


def test_an_event_without_an_id_has_the_same_one_in_every_report(write: Write) -> None:
    file = write(workflow("w", wait_event("e", "paid", collect=3), end()))
    events = [{"event": {"type": "paid", "id": name}} for name in (None, None, "mine")]
    paid = write(json.dumps(events), "events.json")
    words = ("try", file, "--input", "{}", "--now", "2030-01-01T00:00:00Z", "--json")
    first, second = (call(*words, "--events", paid) for _ in range(2))
    assert first.out == second.out
    assert len({event["id"] for event in first.json["output"]["event"]}) == 3


def test_waits_of_one_moment_are_in_the_order_of_their_threads(write: Write) -> None:
    hear = wait_event("hear", "paid", result="output")
    file = write(workflow("w", each("m", "hear", next="end"), hear, end()))
    paid = [{"at": "PT1S", "event": {"type": "paid", "data": number}} for number in range(8)]
    said = attempt(file, {"items": [*range(8)]}, events=paid).json
    assert [event["data"] for event in said["output"]["output"]] == [*range(8)]


def test_open_waits_of_one_moment_are_listed_in_the_order_of_their_threads(write: Write) -> None:
    hear = wait_event("hear", "paid", key="string(item)")
    file = write(workflow("w", each("m", "hear", next="end"), hear, end()))
    said = attempt(file, {"items": [*range(8)]}).json
    assert [wait["key"] for wait in said["suspensions"]] == list("01234567")


def test_the_drawing_shows_the_children(write: Write) -> None:
    write(PAY, "pay.yaml")
    drawn = call("try", write(ORDER, "order.yaml"), "--input", '{"total": 5}').out
    assert "child run pay > shop/pay v1" in drawn


def test_validate_takes_files_that_name_each_other(write: Write, tmp_path: Path) -> None:
    names = (write(ORDER, "order.yaml"), write(PAY, "pay.yaml"))
    assert call("validate", *names).code == 0
    alone = call("validate", names[0])
    assert alone.code == 2
    assert "unknown workflow 'shop/pay'" in alone.out


def test_publish_takes_files_that_name_each_other(write: Write) -> None:
    back = workflow("shop/pay", gosub("back", "shop/order", mode="detach"), end())
    names = (write(ORDER, "order.yaml"), write(back, "pay.yaml"))
    assert call("publish", *names).code == 0
    assert call("publish", names[0]).code == 0


def test_edits_of_one_file_do_not_need_the_other(write: Write) -> None:
    assert call("publish", write(PAY, "pay.yaml"), write(ORDER, "order.yaml")).code == 0
    changed = workflow("shop/order", edit("x", x=1), gosub("pay", "shop/pay", version=1), end())
    assert call("publish", write(changed, "order.yaml")).code == 0
    later = workflow("shop/order", gosub("pay", "shop/pay", version=2), end())
    refused = call("publish", write(later, "order.yaml"))
    assert refused.code == 2
    assert "has no version 2; the newest is 1" in refused.out + refused.err


def test_a_version_counts_as_new_only_if_its_content_is(write: Write) -> None:
    """Files that are given together: what stands already gets no further number."""
    later = workflow("shop/order", gosub("pay", "shop/pay", version=2), end())
    pay, order = write(PAY, "pay.yaml"), write(later, "order.yaml")
    assert call("publish", pay).code == 0
    for verb in ("validate", "publish"):
        for files in ((pay, order), (order, pay)):
            refused = call(verb, *files)
            assert refused.code == 2, (verb, files)
            assert "has no version 2; the newest is 1" in refused.out + refused.err
    tried = call("try", order, "--json")
    assert "has no version 2; the newest is 1" in tried.json["problems"][0]["message"]
    write(workflow("shop/pay", edit("more", x=1), end()), "pay.yaml")
    assert call("validate", order, pay).code == 0
    assert call("publish", order, pay).code == 0
