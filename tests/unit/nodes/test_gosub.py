from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import Node, node
from workflows.errors import ExpressionError, PathError
from workflows.nodes.base import ANYTHING
from workflows.nodes.outcomes import Continue, Fail, Suspend
from workflows.nodes.suspensions import ChildWait, Resolution

NAME = {"run": "r-2", "workflow": "pay", "version": 3}


def pay(**fields: Any) -> Node:
    return node("gosub", **{"workflow": "pay", "next": "on", **fields})


def ended(status: str = "completed", **fields: Any) -> Resolution:
    child = {**NAME, "status": status, "result": "ok", "reason": "", "output": {}, "error": None}
    return Resolution("child", {**child, **fields})


def wait_of(outcome: Any) -> ChildWait:
    assert isinstance(outcome, Suspend)
    assert isinstance(outcome.wait, ChildWait)
    return outcome.wait


def fail_of(outcome: Any) -> Fail:
    assert isinstance(outcome, Fail)
    return outcome


def test_without_input_the_child_starts_with_the_context() -> None:
    assert wait_of(pay().run(a=1, b={"c": 2})) == ChildWait("pay", {"a": 1, "b": {"c": 2}})


def test_with_input_the_child_starts_with_what_is_mapped() -> None:
    wait = wait_of(pay(input={"order.id": "${a}", "text": "no. ${a}", "flag": True}).run(a=1, b=2))
    assert wait.input == {"order": {"id": 1}, "text": "no. 1", "flag": True}


def test_an_empty_mapping_gives_an_empty_context() -> None:
    assert wait_of(pay(input={}).run(a=1)).input == {}


def test_what_is_absent_and_required_fails_the_node() -> None:
    failed = fail_of(pay(input={"a": "${order.id}"}).run(order={}))
    assert failed.code == "input_missing"
    assert "'a'" in failed.message
    assert not failed.fatal


def test_what_is_absent_and_optional_is_left_out() -> None:
    fields = {"input": {"a": "${order.id}", "b": "${order}"}, "optional": ["a"]}
    assert wait_of(pay(**fields).run(order={})).input == {"b": {}}


def test_null_counts_as_given() -> None:
    assert wait_of(pay(input={"a": "${x}"}).run(x=None)).input == {"a": None}


def test_an_expression_about_something_absent_is_an_error_even_when_optional() -> None:
    with pytest.raises(ExpressionError):
        pay(input={"a": "${x + 1}"}, optional=["a"]).run()


def test_a_target_that_cannot_be_set_is_an_error() -> None:
    with pytest.raises(PathError):
        pay(input={"a": 1, "a.b": 2}).run()


def test_everything_else_goes_with_the_wait() -> None:
    fields = {"version": 2, "mode": "wait", "on_cancel": "abandon", "timeout": "PT5M"}
    assert wait_of(pay(**fields).run()) == ChildWait(
        "pay", {}, version=2, on_cancel="abandon", timeout=timedelta(minutes=5)
    )
    assert wait_of(pay(mode="detach").run()).is_detached


def test_without_output_the_child_s_output_is_merged_over_the_context() -> None:
    output = {"order": {"paid": True, "items": [9]}, "new": 1, "text": {"now": "an object"}}
    outcome = pay().resume(ended(output=output), order={"id": 7, "items": [1, 2]}, text="x", k=0)
    assert outcome == Continue(
        {
            "order": {"id": 7, "paid": True, "items": [9]},
            "new": 1,
            "text": {"now": "an object"},
            "k": 0,
        },
        input=NAME,
    )


def test_merging_changes_neither_side() -> None:
    context, output = {"order": {"id": 7}}, {"order": {"paid": True}}
    pay().resume(ended(output=output), **context)
    assert (context, output) == ({"order": {"id": 7}}, {"order": {"paid": True}})


def test_with_output_only_what_is_mapped_is_copied_and_what_is_absent_is_skipped() -> None:
    mapping = {
        "order.total": "${child.output.total}",
        "gone": "${child.output.nothing}",
        "note": "${child.run} of ${k}",
    }
    outcome = pay(output=mapping).resume(ended(output={"total": 5, "x": 1}), order={}, k="v")
    assert isinstance(outcome, Continue)
    assert outcome.context == {"order": {"total": 5}, "k": "v", "note": "r-2 of v"}


def test_a_blocked_child_is_an_answer_with_its_verdict_at_result() -> None:
    blocked = ended(result="blocked", reason="too dear", output={"seen": True})
    outcome = pay(result="paid.how").resume(blocked)
    assert isinstance(outcome, Continue)
    verdict = {**NAME, "status": "completed", "result": "blocked", "reason": "too dear"}
    assert outcome.context == {"seen": True, "paid": {"how": verdict}}


def test_the_verdict_is_seen_by_output_too() -> None:
    blocked = ended(result="blocked", reason="too dear")
    outcome = pay(output={"why": "${child.result}: ${child.reason}"}).resume(blocked)
    assert isinstance(outcome, Continue)
    assert outcome.context == {"why": "blocked: too dear"}


def test_a_detached_child_leaves_the_context_alone_but_for_what_is_asked() -> None:
    begun = ended("pending", result=None)
    assert pay(mode="detach").resume(begun, a=1) == Continue({"a": 1}, input=NAME)
    outcome = pay(mode="detach", output={"job": "${child.run}"}, result="of").resume(begun)
    assert isinstance(outcome, Continue)
    assert outcome.context["job"] == "r-2"
    assert outcome.context["of"]["status"] == "pending"


def test_a_failed_child_fails_the_node_with_its_code() -> None:
    error = {"code": "no_money", "message": "No money.", "node": "charge", "attempt": 2}
    failed = fail_of(pay().resume(ended("failed", error=error), a=1))
    assert (failed.code, failed.message, failed.fatal) == ("no_money", "No money.", False)
    assert failed.details == {"run": "r-2", "workflow": "pay", "error": error}
    assert failed.input == NAME


def test_the_error_of_a_child_s_child_is_named_and_not_repeated() -> None:
    inner = {"run": "r-3", "workflow": "bank", "error": {"code": "deep"}}
    error = {"code": "no_money", "message": "No money.", "node": "charge", "details": inner}
    failed = fail_of(pay().resume(ended("failed", error=error)))
    assert failed.details["error"]["details"] == {"run": "r-3", "workflow": "bank"}
    own = {**error, "details": {"run": 1}}
    assert fail_of(pay().resume(ended("failed", error=own))).details["error"] == own


def test_a_cancelled_child_fails_the_node() -> None:
    failed = fail_of(pay().resume(ended("cancelled", reason="by ann")))
    assert failed.code == "child_cancelled"
    assert failed.message.endswith("was cancelled: by ann")
    assert failed.details == {"run": "r-2", "workflow": "pay", "error": None}


def test_the_timeout_leads_to_on_timeout() -> None:
    node_ = pay(timeout="PT1S", on_timeout="late")
    assert node_.ports == {"next": "on", "on_timeout": "late"}
    assert node_.resume(Resolution("timer"), x=1) == Continue({"x": 1}, port="on_timeout")
    failed = fail_of(pay(timeout="PT1S").resume(Resolution("timer")))
    assert (failed.code, failed.fatal) == ("timeout", False)
    assert "'pay'" in failed.message


@pytest.mark.parametrize(
    "fields",
    [{"workflow": ""}, {"version": 0}, {"mode": "later"}, {"on_cancel": "keep"}, {"input": [1]}],
)
def test_bad_fields_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        pay(**fields)


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({"input": {"a": 1, "a/b ": 2}}, ["/input/a~1b "]),
        ({"output": {"": 1}}, ["/output/"]),
        ({"input": {"a": 1}, "optional": ["a", "b"]}, ["/optional/1"]),
        ({"optional": ["a"]}, ["/optional/0"]),
        ({"mode": "detach", "timeout": "PT1S", "retry": {}}, ["/retry", "/timeout"]),
        ({"mode": "detach", "on_timeout": "x", "on_error": "y", "output": {}}, ["/on_timeout"]),
    ],
)
def test_what_only_the_kind_can_tell(fields: dict[str, Any], pointers: list[str]) -> None:
    assert [pointer for pointer, _ in pay(**fields).problems] == pointers


def test_what_it_sets() -> None:
    def sets(**fields: Any) -> tuple[str, ...]:
        found = pay(**fields)
        return found.kind.sets(found.config)

    assert sets() == (ANYTHING,)
    assert sets(result="r") == (ANYTHING, "r")
    assert sets(output={"a.b": 1}, result="r") == ("a.b", "r")
    assert sets(mode="detach") == ()
