"""try --cases: many trials in one process, and what a report looks like."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.integration.cli.calling import Said, call
from tests.integration.cli.conftest import REFUND
from tests.support.builder import activity, ask, delay, each, edit, end, gosub, wait_event, workflow
from tests.support.undoing import compensate
from workflows.models import Run, Workflow
from workflows.testing import trial
from workflows.testing.report import Told
from workflows.testing.trial import Trial

pytestmark = pytest.mark.django_db

BAD = {"error": {"code": "bad", "message": "No."}}
SAGA = workflow(
    "saga",
    activity("a", "shop.a", compensate={"activity": "shop.undo"}),
    activity("b", "shop.b", on_error="undo", retry={"attempts": 2}),
    compensate("undo", result="undone"),
    end(),
)
PARENT = workflow("parent", each("m", "call", next="end"), gosub("call", "child"), end())
CHILD = workflow("child", edit("x", x="${item * 2}"), end())
WAITING = workflow("waiting", wait_event("wait", "paid", key="'7'"), end())
BROKEN = "workflow: broken\nnodes:\n- {id: start, type: start, next: nowhere}\n"
#: One of every sort that a report can tell of.
SORTS: dict[str, dict[str, Any]] = {
    "completed": {"definition": REFUND, "input": {"amount": 5}},
    "blocked": {
        "definition": REFUND,
        "input": {"amount": 900},
        "events": [{"at": "PT1H", "answer": {"node": "ask", "decision": "reject"}}],
    },
    "asleep": {"definition": REFUND, "input": {"amount": 900}},
    "waiting": {"definition": WAITING, "events": [{"event": {"type": "paid", "key": "8"}}]},
    "asking": {
        "definition": workflow("w", ask("q", to={"groups": ["legal"]}), end()),
        "events": [{"answer": {"node": "other", "data": 1}}],
    },
    "compensated": {
        "definition": SAGA,
        "stubs": {"shop.a": [{"output": 1}], "shop.b": [BAD], "shop.undo": [{"output": 2}]},
    },
    "failed": {
        "definition": workflow("f", activity("a", "shop.a"), end()),
        "stubs": {"shop.a": [BAD]},
    },
    "children": {
        "definition": json.dumps(PARENT),
        "workflows": [CHILD],
        "input": {"items": [1, 2]},
    },
    "invalid": {"definition": BROKEN},
    "invalid child": {"definition": PARENT, "workflows": [BROKEN.replace("broken", "child")]},
    "invalid input": {"definition": REFUND, "input": {"amount": "much"}},
    "no object": {"definition": REFUND, "input": 5},
}


def cases(*given: Any, path: Path, words: tuple[str, ...] = ()) -> tuple[Said, list[Any]]:
    file = path / "cases.jsonl"
    lines = (each if isinstance(each, bytes) else json.dumps(each).encode() for each in given)
    file.write_bytes(b"\n".join(lines))
    said = call("try", "--cases", str(file), *words)
    return said, [json.loads(line) for line in said.out.splitlines()]


FORM = {"type": "object", "properties": {"colour": {"enum": ["red"]}}, "required": ["colour"]}
ASKING = workflow(
    "q", {"id": "ask", "type": "user_input", "prompt": "?", "form": FORM, "next": "end"}, end()
)
APPROVAL = workflow(
    "p",
    {"id": "ask", "type": "approval", "to": {"groups": ["x"]}, "form": FORM, "next": "end"},
    end(),
)


@pytest.mark.parametrize(
    ("definition", "answer", "said"),
    [
        (ASKING, {"data": {"colour": "green"}}, "colour"),
        (APPROVAL, {"decision": "aprove"}, "'aprove' (did you mean 'approve'?)"),
        (APPROVAL, {"decision": None}, "it is missing"),
        (APPROVAL, {"decision": "approve", "data": 5}, "`data` must be an object"),
        (APPROVAL, {"decision": "approve", "comment": 5}, "`comment` must be text"),
        (ASKING, {"data": "x" * 70_000}, "larger than"),
        (APPROVAL, {"data": {"colour": "red"}}, "it is missing"),
        (APPROVAL, {"decision": "approve", "data": {"color": 1}}, "colour"),
    ],
)
def test_an_answer_that_is_refused_spoils_its_own_case_only(
    tmp_path: Path, definition: dict[str, Any], answer: dict[str, Any], said: str
) -> None:
    events = [{"at": "PT1M", "answer": {"node": "ask", **answer}}]
    bad = {"id": "bad", "definition": definition, "events": events}
    done, results = cases(bad, {"id": "good", **SORTS["completed"]}, path=tmp_path)
    assert [each["status"] for each in results] == ["invalid", "completed"]
    assert "'ask' after 1 min" in results[0]["error"]["message"]
    assert said in json.dumps(results[0])
    assert done.code == 0


def test_each_case_has_a_line_in_the_same_order(tmp_path: Path) -> None:
    given = [{"id": name, **case} for name, case in SORTS.items()]
    said, results = cases(*given, path=tmp_path)
    assert said.code == 0, said.err
    assert [each["id"] for each in results] == list(SORTS)
    statuses = {each["id"]: each["status"] for each in results}
    assert statuses == {
        "completed": "completed",
        "blocked": "completed",
        "asleep": "suspended",
        "waiting": "suspended",
        "asking": "suspended",
        "compensated": "completed",
        "failed": "failed",
        "children": "completed",
        "invalid": "invalid",
        "invalid child": "invalid",
        "invalid input": "invalid",
        "no object": "invalid",
    }
    by_name = {each["id"]: each for each in results}
    assert sorted(child["output"]["x"] for child in by_name["children"]["children"]) == [2, 4]
    assert by_name["invalid"]["source"] == "definition"
    assert by_name["invalid child"]["source"] == "workflows/0"
    assert by_name["invalid"]["problems"][0]["line"] == 3


def test_a_report_is_what_its_schema_says(tmp_path: Path) -> None:
    """Every field is there, and no other; docs/reference/try.md is made of the same."""
    _, results = cases(*SORTS.values(), b"{", path=tmp_path)
    assert len(results) == len(SORTS) + 1
    for result in results:
        Told.model_validate(result, strict=True)
    with pytest.raises(ValidationError):
        Told.model_validate({**results[0], "more": 1})
    with pytest.raises(ValidationError):
        Told.model_validate({name: each for name, each in results[0].items() if name != "nodes"})


@pytest.mark.parametrize(
    ("line", "named", "pointer", "message"),
    [
        (b"{", None, "", "this is no JSON"),
        (b'{"id": 1, "definition": NaN}', None, "", "NaN is no JSON"),
        (b"\xff", None, "", "byte 0 is no UTF-8 text"),
        (b'{"id": ' + b"9" * 5000 + b"}", None, "", "a number has too many digits"),
        (b"[" * 100_000, None, "", "this is no JSON"),
        (b"[]", None, "", "expected an object, got a list"),
        (b'{"id": 7}', 7, "", "the required field 'definition' is missing"),
        (b'{"id": "a", "definition": "x", "inputs": {}}', "a", "/inputs", "unknown field 'inputs'"),
        (
            b'{"id": true, "definition": "x"}',
            None,
            "/id",
            "expected text or a whole number",
        ),
        (
            b'{"definition": "x", "stubs": {"a": []}}',
            None,
            "/stubs/a",
            "'a': this must not be",
        ),
        (b'{"definition": "x", "events": [{}]}', None, "/events/0", "entry 1: an entry has either"),
    ],
)
def test_a_line_that_is_no_case_has_a_result_too(
    line: bytes, named: Any, pointer: str, message: str, tmp_path: Path
) -> None:
    good = {"id": "good", "definition": REFUND, "input": {"amount": 1}}
    said, results = cases(line, good, path=tmp_path)
    assert said.code == 2
    assert [each["status"] for each in results] == ["invalid", "completed"]
    refused = results[0]
    assert refused["id"] == named
    assert refused["error"]["code"] == "case_invalid"
    assert refused["error"]["message"].startswith("Line 1 is no case: ")
    assert refused["problems"][0]["pointer"] == pointer
    assert message in refused["problems"][0]["message"]


def test_nothing_leaks_from_one_case_to_the_next(tmp_path: Path) -> None:
    """Each gives, among others and after itself, what it gives alone; byte for byte."""
    now = ("--now", "2030-01-01T00:00:00Z")
    given = [case for name, case in SORTS.items() if name != "children"]  # whose ids are random
    # The same name and node, with another definition: nothing may be kept by these.
    other = {"definition": {**REFUND, "nodes": [*REFUND["nodes"][:1], end("large")]}}
    given += [{**other, "input": {"amount": 5}}]
    alone = [cases(case, path=tmp_path, words=now)[0].out for case in given]
    together, _ = cases(*given, *reversed(given), path=tmp_path, words=now)
    assert together.out == "".join([*alone, *reversed(alone)])
    assert not Run.objects.exists()
    assert not Workflow.objects.exists()


def test_standard_input_is_read_and_blank_lines_are_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = json.dumps({"id": 1, "definition": REFUND, "input": {"amount": 1}})
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"\n{line}\n\n".encode())))
    said = call("try", "--cases", "-")
    assert (said.code, json.loads(said.out)["id"]) == (0, 1)


@pytest.mark.parametrize(
    "wait", [{"until": "9999-12-31T23:59:59Z"}, {"until": "9799-12-31T00:00:00Z", "next": "d"}]
)
def test_time_ends_before_the_calendar_does(tmp_path: Path, wait: dict[str, str]) -> None:
    first = {"id": "a", "type": "delay", **wait}
    case = {"definition": workflow("far", first, delay("d", "P36600D"), end()), "input": {}}
    said, (told,) = cases(case, path=tmp_path)
    assert (said.code, told["status"], told["error"]["code"]) == (0, "suspended", "trial_limit")
    assert "in the year 9800" in told["error"]["message"]


def test_what_sleeps_and_wakes_without_end_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "MAX_TURNS", 20)
    case = {"definition": workflow("round", delay("d", "PT1S", next="d"))}
    said, (told,) = cases(case, path=tmp_path)
    assert (said.code, told["status"], told["error"]["code"]) == (0, "suspended", "trial_limit")
    assert told["error"]["message"] == "Still not over after 20 turns of sleeping and waking."
    assert told["virtual_duration_s"] == 20


@pytest.mark.parametrize("is_shuffled", [False, True])
@pytest.mark.parametrize(
    "nodes",
    [
        [delay("d", "PT0S", next="d")],
        [
            {"id": "tell", "type": "emit", "event": "x", "next": "hear"},
            wait_event("hear", "x", next="tell"),
        ],
    ],
)
def test_what_moves_without_end_at_one_moment_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: list[Any], *, is_shuffled: bool
) -> None:
    monkeypatch.setattr(trial, "MAX_MOVES", 20)
    case = {"definition": workflow("round", *nodes)}
    words = ("--seed", "1") if is_shuffled else ()
    _, (told,) = cases(case, path=tmp_path, words=words)
    assert (told["status"], told["error"]["code"]) == ("running", "trial_limit")
    assert told["error"]["message"] == "Still not over after 20 moves of one thread at one moment."
    assert told["virtual_duration_s"] == 0


@pytest.mark.parametrize(
    "node",
    [
        wait_event("a", "x", timeout="P9999999D"),
        activity("a", "shop.a", retry={"attempts": 9, "backoff": "P999999D"}),
    ],
)
def test_durations_that_leave_the_calendar_are_refused(
    tmp_path: Path, node: dict[str, Any]
) -> None:
    case = {"definition": workflow("far", node, end()), "stubs": {"shop.a": [BAD]}}
    _, (told,) = cases(case, path=tmp_path)
    assert [each["code"] for each in told["problems"]] == ["wrong_value"]
    assert "of at most 100 years" in told["problems"][0]["message"]


def test_many_attempts_grow_to_their_longest_wait(tmp_path: Path) -> None:
    retry = {"attempts": 400, "backoff": "PT1S", "factor": 100, "max": "PT1M"}
    case = {
        "definition": workflow("w", activity("a", "shop.a", retry=retry), end()),
        "stubs": {"shop.a": [*[BAD] * 250, {"output": 1}]},
    }
    _, (told,) = cases(case, path=tmp_path)
    assert (told["status"], told["virtual_duration_s"]) == ("completed", 1 + 249 * 60)


def test_the_definition_itself_counts_among_others_of_its_name(tmp_path: Path) -> None:
    own = workflow("w", end(output={"own": True}))
    others = [own, workflow("w", end(output={"own": False}))]
    _, (told,) = cases({"definition": own, "workflows": others}, path=tmp_path)
    assert told["output"] == {"own": True}
    assert [each["source"] for each in told["warnings"]] == ["workflows/0", "workflows/1"]
    assert told["warnings"][0]["code"] == "repeated_workflow"


def test_a_trial_that_breaks_down_does_not_end_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = {"id": 1, **SORTS["completed"]}, {"id": 2, **SORTS["asleep"]}

    def run(trial: Trial, data: Any) -> Any:
        assert data["amount"] != 900
        return whole(trial, data)

    whole = Trial.run
    monkeypatch.setattr(Trial, "run", run)
    _, (first, broken, last) = cases(good, bad, good, path=tmp_path)
    assert (first["status"], last["status"]) == ("completed", "completed")
    assert (broken["id"], broken["error"]["code"]) == (2, "trial_broken")
    Told.model_validate(broken, strict=True)
    assert "A trial broke down" in caplog.text


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    line = json.dumps({"definition": REFUND, "input": {"amount": 1}}).encode()
    _, (first, *_) = cases(b"\xef\xbb\xbf" + line, path=tmp_path)
    assert first["status"] == "completed"


def test_no_case_is_no_result(tmp_path: Path) -> None:
    said, results = cases(path=tmp_path)
    assert (said.code, results) == (0, [])


@pytest.mark.parametrize("words", [("x.yaml",), ("--input", '{"a": 1}'), ("--stubs", "{}")])
def test_what_each_case_has_for_itself_is_refused_beside_it(words: tuple[str, ...]) -> None:
    said = call("try", "--cases", "-", *words)
    assert said.code == 2
    assert "does not go with --cases" in said.err


def test_a_file_is_needed(tmp_path: Path) -> None:
    assert "FILE" in call("try").err
    missing = call("try", "--cases", str(tmp_path / "none.jsonl"))
    assert missing.code == 2
    assert "cannot be read" in missing.err


@pytest.mark.long
def test_a_thousand_cases(tmp_path: Path) -> None:
    """Each with a definition of its own."""
    given = [
        {
            "id": number,
            "definition": workflow(
                f"w{number}",
                activity("a", "shop.a", input={"n": "${n}"}, result="a"),
                each("m", "part", next="end"),
                edit("part", output="${item + n}", next=None),
                end(output={"sums": "${output}", "a": "${a}"}),
            ),
            "input": {"n": number, "items": [1, 2, 3]},
            "stubs": {"shop.a": [{"output": number * 2}]},
        }
        for number in range(1000)
    ]
    said, results = cases(*given, path=tmp_path)
    assert said.code == 0
    for number, result in enumerate(results):
        assert result["id"] == number
        expected = {"sums": [number + 1, number + 2, number + 3], "a": number * 2}
        assert result["output"] == expected
    assert len(results) == 1000
