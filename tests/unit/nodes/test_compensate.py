from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import Node, node
from workflows.nodes.outcomes import Compensate, Continue, Enter, Fail, Outcome, Suspend
from workflows.nodes.suspensions import ActivityCall, Resolution

STEP = {
    "id": 12,
    "node": "book",
    "thread": 3,
    "seq": 4,
    "compensation": {"activity": "trip.cancel", "input": {"number": "T-1"}},
}
NAMED = {"node": "book", "thread": 3, "seq": 4, "activity": "trip.cancel"}


def again(undo: Node, state: dict[str, Any], **context: Any) -> Outcome:
    return undo.kind.again(replace(undo.call(context), state=state), state)


def test_it_asks_for_the_newest_step() -> None:
    assert node("compensate").run(x=1) == Compensate({"done": []}, None)
    assert node("compensate", nodes=["a", "b"]).run() == Compensate({"done": []}, ("a", "b"))


def test_it_calls_the_activity_of_the_step_with_a_key_of_the_step() -> None:
    undo = node("compensate", timeout="PT5S", queue="slow", retry={"attempts": 4})
    call = ActivityCall(
        "trip.cancel",
        {"number": "T-1"},
        queue="slow",
        attempts=4,
        timeout=timedelta(seconds=5),
        key="r1:3:4:compensate",
    )
    expected = Suspend(
        call, input={**NAMED, "input": {"number": "T-1"}}, about={"compensating": NAMED}
    )
    assert again(undo, {"done": [], "step": STEP}) == expected


def test_after_each_it_asks_for_the_next() -> None:
    undo = node("compensate", result="undone")
    state = {"done": [], "step": STEP}
    call = replace(undo.call({"x": 1}), state=state)
    outcome = undo.kind.resume(call, Resolution(by="activity", payload="done"))
    noted = {"done": [{**NAMED, "output": "done"}]}
    assert outcome == Enter({"x": 1}, noted, compensates=12, output={"output": "done"})
    assert again(undo, noted) == Compensate(noted, None)


def test_when_nothing_is_left_it_goes_on_with_what_it_has_done() -> None:
    state = {"done": [{**NAMED, "output": 1}], "step": None}
    assert again(node("compensate"), state, x=1) == Continue({"x": 1})
    named = again(node("compensate", result="a.undone"), state)
    assert named == Continue({"a": {"undone": [{**NAMED, "output": 1}]}})


def test_an_input_that_could_not_be_made_fails_here() -> None:
    error = {"code": "expression_failed", "message": "no such key"}
    step = {**STEP, "compensation": {"activity": "trip.cancel", "error": error}}
    outcome = again(node("compensate"), {"done": [], "step": step})
    details = {"compensating": NAMED, "final": True}
    assert outcome == Fail("expression_failed", "no such key", input=NAMED, details=details)


def test_without_a_result_nothing_is_set() -> None:
    plain, named = node("compensate"), node("compensate", result="undone")
    assert plain.kind.sets(plain.config) == ()
    assert named.kind.sets(named.config) == ("undone",)


def test_an_empty_list_of_nodes_is_refused() -> None:
    with pytest.raises(ValidationError, match="nodes"):
        node("compensate", nodes=[])


def answered(payload: Any, *, asked: Any, kind: str = "activity", **fields: Any) -> Outcome:
    work = node(kind, **fields)
    call = replace(work.call({"order": 7}), asked=asked)
    return work.kind.resume(call, Resolution(by="activity", payload=payload))


def test_a_step_says_what_undoes_it() -> None:
    undo = {"activity": "trip.cancel", "input": {"n": "${output.n}", "o": "${order}"}}
    outcome = answered({"n": 1}, asked={"a": 2}, activity="trip.book", compensate=undo)
    made = {"activity": "trip.cancel", "input": {"n": 1, "o": 7}}
    assert outcome == Continue({"order": 7, "output": {"n": 1}}, compensation=made)


def test_by_default_it_is_given_input_and_output() -> None:
    undo = {"activity": "trip.cancel"}
    outcome = answered(
        {"status": 201}, asked={"url": "x"}, kind="http", url="http://x", compensate=undo
    )
    made = {"activity": "trip.cancel", "input": {"input": {"url": "x"}, "output": {"status": 201}}}
    assert isinstance(outcome, Continue)
    assert outcome.compensation == made


def test_an_expression_that_fails_does_not_undo_that_the_step_has_finished() -> None:
    undo = {"activity": "trip.cancel", "input": {"n": "${output.missing}"}}
    outcome = answered({}, asked={}, activity="trip.book", result="b", compensate=undo)
    assert isinstance(outcome, Continue)
    assert outcome.context == {"order": 7, "b": {}}
    assert outcome.compensation is not None
    assert outcome.compensation["activity"] == "trip.cancel"
    assert "missing" in outcome.compensation["error"]["message"]
