"""approval: ask people and sleep until they have decided."""

from collections.abc import Mapping
from typing import Any

from approvals import selectors, services
from approvals.decisions import DecisionResult, scripted_decision, timer_decision
from approvals.node_config import ApprovalConfig
from approvals.policy import describe
from workflows.absent import ABSENT
from workflows.clock import now
from workflows.context.paths import assign, read
from workflows.errors import NodeError
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Continue, Fail, Finish, JSONObject, Outcome, Suspend
from workflows.nodes.readings import text_at, type_name
from workflows.nodes.registry import register
from workflows.nodes.suspensions import PersonWait, Resolution

TITLE_LENGTH = 200


@register
class Approval(Kind[ApprovalConfig]):
    """Opens a request in the transaction in which its thread falls asleep."""

    name = "approval"
    Config = ApprovalConfig
    is_bounded = True
    answer_fields = ("decision", "data", "form", "comment", "by", "group")

    def ports(self, config: ApprovalConfig) -> dict[str, str | None]:
        own = {"on_reject": config.on_reject, "on_timeout": config.timeout_node}
        return {**super().ports(config), **own}

    def sets(self, config: ApprovalConfig) -> tuple[str, ...]:
        return (config.result,)

    def check(self, config: ApprovalConfig) -> list[tuple[str, str]]:
        return config.problems()

    def run(self, call: NodeCall[ApprovalConfig]) -> Outcome:
        config = call.config
        data = {
            "groups": _names(call, "groups"),
            "users": _names(call, "users"),
            "title": _title(call),
            "need": str(config.stage.need),
            "form": config.form or None,
            "shown": _snapshot(call.context, config.show),
            "is_requester_barred": config.not_.requester,
        }
        return Suspend(PersonWait(data, config.due))

    def on_suspended(
        self, suspension_id: str, call: NodeCall[ApprovalConfig], wait: PersonWait
    ) -> None:
        question = services.Question(
            run_id=call.run["id"],
            workflow=call.run["workflow"],
            node=call.config.id,
            due_at=None if wait.due is None else call.now + wait.due,
            **wait.data,
        )
        services.open_request(suspension_id, question)

    def on_closed(self, suspension_id: str, by: str) -> None:
        services.close_request(suspension_id, by)

    def answer(self, suspension_id: str, answer: Mapping[str, Any], user: Any) -> DecisionResult:
        return services.decide(
            selectors.request_of(suspension_id).pk,
            user=user,
            decision=str(answer.get("decision", "")),
            comment=str(answer.get("comment") or ""),
            form=answer.get("form"),
            key=answer.get("key"),
        )

    def who_answers(self, suspension_id: str) -> str:
        return describe(selectors.rules_of(selectors.request_of(suspension_id)))

    def asks(self, suspension_id: str) -> str:
        return selectors.request_of(suspension_id).title

    def scripted(self, config: ApprovalConfig, answer: Mapping[str, Any]) -> JSONObject:
        decision = scripted_decision(answer, at=now())
        if config.form:
            is_optional = decision["decision"] == "rejected"
            services.check_form(config.form, decision["form"], is_optional=is_optional)
        return decision

    def resume(self, call: NodeCall[ApprovalConfig], resolution: Resolution) -> Outcome:
        if resolution.by == "answer":
            return _go_on(call, resolution.payload)
        if call.config.on_timeout is None:
            return Fail("timeout", f"Nobody decided within {call.config.due}.")
        words = {"approve": "approved", "reject": "rejected"}
        decision = timer_decision(words.get(call.config.on_timeout, "timed_out"), at=call.now)
        return _go_on(call, decision)


def _go_on(call: NodeCall[ApprovalConfig], decision: JSONObject) -> Outcome:
    """Put the decision into the context and leave through the port that it chooses."""
    context = assign(call.context, call.config.result, decision)
    port = {"approved": "next", "rejected": "on_reject"}.get(decision["decision"], "on_timeout")
    if port == "on_reject" and port not in call.ports:
        # The run, not this branch alone: what was rejected must not go on beside it.
        reason = decision["comment"] or f"Rejected by {decision['by'] or 'the timer'}."
        return Finish(context, result="blocked", reason=reason, terminate=True)
    return Continue(context, port)


def _title(call: NodeCall[ApprovalConfig]) -> str:
    text = " ".join(text_at(call, call.config.title or "").split()) or call.config.id
    return text if len(text) <= TITLE_LENGTH else text[: TITLE_LENGTH - 1] + "…"


def _snapshot(context: JSONObject, paths: tuple[str, ...]) -> JSONObject:
    """Return the shown values by path; what is absent is left out."""
    found = {path: read(context, path) for path in paths}
    return {path: value for path, value in found.items() if value is not ABSENT}


def _names(call: NodeCall[ApprovalConfig], field: str) -> list[str]:
    """Return the rendered names in `to`, each once, in the author's order."""
    value = call.render(getattr(call.config.stage.to, field))
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        message = f"`to.{field}` must be a list of names; found: {type_name(value)}."
        raise NodeError("approval_unsettleable", message)
    if not all(isinstance(name, str) and name for name in names):
        message = f"`to.{field}` must hold names only, and none of them empty."
        raise NodeError("approval_unsettleable", message)
    return list(dict.fromkeys(names))
