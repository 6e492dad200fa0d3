"""The approval kind as a pure function of its call."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from approvals.node_config import ApprovalConfig
from approvals.workflow_nodes import Approval
from workflows.errors import NodeError
from workflows.nodes.base import NodeCall
from workflows.nodes.outcomes import Continue, Fail, Finish, Suspend
from workflows.nodes.registry import kinds
from workflows.nodes.suspensions import PersonWait, Resolution

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
KIND = Approval()
LEGAL = {"groups": ["legal"]}
APPROVED = {"decision": "approved", "by": "lena", "comment": "", "form": {"ticket": "T-1"}}
REJECTED = {"decision": "rejected", "by": "lena", "comment": "Too dear.", "form": {}}


def call(context: dict[str, Any] | None = None, **fields: Any) -> NodeCall[ApprovalConfig]:
    config = ApprovalConfig.model_validate(
        {"id": "ask", "type": "approval", "to": LEGAL, "next": "pay", **fields}
    )
    ports = {name: node for name, node in KIND.ports(config).items() if node is not None}
    run = {"id": "r", "workflow": "refund"}
    return NodeCall(config, context or {}, ports, run, NOW)


def asked(node_call: NodeCall[ApprovalConfig]) -> PersonWait:
    outcome = KIND.run(node_call)
    assert isinstance(outcome, Suspend)
    assert isinstance(outcome.wait, PersonWait)
    return outcome.wait


def test_the_engine_finds_the_kind() -> None:
    assert isinstance(kinds()["approval"], Approval)


def test_it_sleeps_with_a_rendered_snapshot() -> None:
    context = {"item": {"merchant": "Tesco", "price": 3}, "secret": "s", "boss": ["lena"]}
    wait = asked(
        call(
            context,
            title="Card spend ${item.merchant}",
            to={"groups": ["legal"], "users": "${boss}"},
            show=["item.price", "item.absent"],
            need="50%",
            due="P2D",
        )
    )
    assert wait.due == timedelta(days=2)
    assert wait.data == {
        "groups": ["legal"],
        "users": ["lena"],
        "title": "Card spend Tesco",
        "need": "50%",
        "form": None,
        "shown": {"item.price": 3},
        "is_requester_barred": True,
    }


def test_a_title_is_one_line_of_bounded_length() -> None:
    assert asked(call({"x": "a\nb"}, title="T ${x}")).data["title"] == "T a b"
    assert len(asked(call({"x": "y" * 900}, title="${x}")).data["title"]) == 200
    assert asked(call()).data["title"] == "ask"


def test_names_are_asked_once_each() -> None:
    wait = asked(call(to={"groups": ["legal", "legal"], "users": "lena"}))
    assert (wait.data["groups"], wait.data["users"]) == (["legal"], ["lena"])


@pytest.mark.parametrize("value", [3, {"a": 1}, ["lena", 3], ["lena", ""]])
def test_what_is_no_list_of_names_fails_the_node(value: Any) -> None:
    with pytest.raises(NodeError, match=r"to\.users") as refused:
        KIND.run(call({"who": value}, to={"users": "${who}"}))
    assert refused.value.failure == "approval_unsettleable"


def test_an_approval_goes_on_with_the_decision() -> None:
    outcome = KIND.resume(call({"a": 1}), Resolution("answer", APPROVED))
    assert outcome == Continue({"a": 1, "decision": APPROVED}, "next")


def test_the_decision_lands_at_result() -> None:
    outcome = KIND.resume(call(result="answers.legal"), Resolution("answer", APPROVED))
    assert isinstance(outcome, Continue)
    assert outcome.context == {"answers": {"legal": APPROVED}}


def test_a_rejection_takes_its_port() -> None:
    outcome = KIND.resume(call(on_reject="refused"), Resolution("answer", REJECTED))
    assert outcome == Continue({"decision": REJECTED}, "on_reject")


def test_a_rejection_without_a_port_ends_blocked_with_the_comment() -> None:
    outcome = KIND.resume(call(), Resolution("answer", REJECTED))
    assert outcome == Finish(
        {"decision": REJECTED}, result="blocked", reason="Too dear.", terminate=True
    )


def test_a_rejection_without_a_comment_names_who_rejected() -> None:
    outcome = KIND.resume(call(), Resolution("answer", {**REJECTED, "comment": ""}))
    assert isinstance(outcome, Finish)
    assert outcome.reason == "Rejected by lena."


@pytest.mark.parametrize(
    ("on_timeout", "port", "decision"),
    [
        ("approve", "next", "approved"),
        ("reject", "on_reject", "rejected"),
        ("late", "on_timeout", "timed_out"),
    ],
)
def test_timeouts(on_timeout: str, port: str, decision: str) -> None:
    late = call(due="P1D", on_timeout=on_timeout, on_reject="refused")
    outcome = KIND.resume(late, Resolution("timer"))
    assert isinstance(outcome, Continue)
    assert outcome.port == port
    told = outcome.context["decision"]
    assert (told["decision"], told["by"], told["at"]) == (decision, None, "2026-03-01T10:00:00Z")


def test_a_timeout_without_a_port_fails_the_node() -> None:
    outcome = KIND.resume(call(due="P1D"), Resolution("timer"))
    assert isinstance(outcome, Fail)
    assert outcome.code == "timeout"


def test_ports_leave_the_words_out() -> None:
    words = call(due="P1D", on_timeout="approve").ports
    nodes = call(due="P1D", on_timeout="late", on_reject="no").ports
    assert words == {"next": "pay"}
    assert nodes == {"next": "pay", "on_timeout": "late", "on_reject": "no"}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"to": {}}, "/to"),
        ({"form": {"type": "string"}}, "/form"),
        ({"form": True}, "/form"),
        ({"on_timeout": "approve"}, "/on_timeout"),
    ],
)
def test_checks(fields: dict[str, Any], pointer: str) -> None:
    assert [spot for spot, _ in KIND.check(call(**fields).config)] == [pointer]


def test_a_whole_node_has_nothing_to_complain_about() -> None:
    form = {"type": "object", "properties": {"ticket": {"type": "string"}}}
    whole = call(form=form, due="P2D", on_timeout="late", need="all", **{"not": {}})
    assert KIND.check(whole.config) == []
    assert KIND.sets(whole.config) == ("decision",)


@pytest.mark.parametrize(
    "fields",
    [
        {"need": 0},
        {"need": "most"},
        {"need": "0%"},
        {"need": "101%"},
        {"due": "-P1D"},
        {"to": {"group": ["legal"]}},
        {"not": {"same_person_twice": False}},
        {"approvers": ["lena"]},
    ],
)
def test_refused_fields(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        call(**fields)


def test_one_stage_may_be_written_as_a_list() -> None:
    stage = {"to": {"groups": ["legal"]}, "need": 2}
    config = ApprovalConfig.model_validate({"id": "ask", "type": "approval", "stages": [stage]})
    assert (config.stage.need, config.problems()) == (2, [])
    both = {"id": "ask", "type": "approval", "stages": [stage], "to": {"groups": ["legal"]}}
    assert [where for where, _ in ApprovalConfig.model_validate(both).problems()] == ["/stages"]
