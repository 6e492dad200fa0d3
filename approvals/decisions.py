"""What a thread is told about a decision, and what a person is told about a vote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from approvals.models import ApprovalRequest, Vote
from workflows.errors import InputRefusedError, Problem, suggest

JSONObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """The answer to one vote; `status` is the request's, as this vote left it.

    `is_repeat` tells that the same delivery had been answered before, with this same answer.
    """

    request_id: UUID
    decision: str
    status: str
    by: str
    at: datetime
    is_repeat: bool = False

    @property
    def is_settled(self) -> bool:
        return self.status != "open"

    def as_dict(self) -> JSONObject:
        """Return the JSON form that API and command line print; equal for a repeated delivery."""
        return {
            "request": str(self.request_id),
            "decision": self.decision,
            "status": self.status,
            "by": self.by,
            "at": rfc3339(self.at),
        }


def rfc3339(moment: datetime) -> str:
    """Return a moment as the text that JSON carries, in UTC when it is an aware one."""
    return moment.isoformat().replace("+00:00", "Z")


def result_of(vote: Vote, *, is_repeat: bool = False) -> DecisionResult:
    """Return what the person who gave `vote` is told."""
    return DecisionResult(
        request_id=vote.request_id,
        decision=vote.decision,
        status=vote.status_after,
        by=vote.username,
        at=vote.at,
        is_repeat=is_repeat,
    )


def people_decision(verdict: Literal["approved", "rejected"], votes: Sequence[Vote]) -> JSONObject:
    """Return the decision that `votes` came to; the last of them is the one that settled it.

    `comment`, `form` and `group` are that person's; everybody's are in `votes`, in order.
    """
    last = votes[-1]
    return {
        "decision": verdict,
        "by": last.username,
        "at": rfc3339(last.at),
        "comment": last.comment,
        "form": last.form,
        "group": last.group or None,
        "votes": [_vote_in_decision(vote) for vote in votes],
    }


def timer_decision(verdict: str, *, at: datetime) -> JSONObject:
    """Return the decision that nobody took: `approved`, `rejected` or `timed_out` by the timer."""
    nothing: JSONObject = {"comment": "", "form": {}, "group": None, "votes": []}
    return {"decision": verdict, "by": None, "at": rfc3339(at), **nothing}


def scripted_decision(answer: Mapping[str, Any], *, at: datetime) -> JSONObject:
    """Return the decision that a scripted answer stands for: one vote that settles the request.

    `data` is what was filled in; `form`, `comment`, `by` and `group` may stand beside it.

    Raises:
        InputRefusedError: The decision is missing, or neither `approve` nor `reject`.
    """
    verdicts = {"approve": "approved", "reject": "rejected"}
    decision = str(answer.get("decision") or "")
    verdict = verdicts.get(decision, decision)
    if verdict not in verdicts.values():
        found = f"found: {decision[:40]!r}{suggest(decision, verdicts)}"
        message = (
            f"`decision` must be 'approve' or 'reject'; {found if decision else 'it is missing'}."
        )
        raise InputRefusedError(message, [Problem("answer_invalid", message, "/decision")])
    _refuse_odd_types(answer)
    filled_in = answer.get("data") or {}
    vote = {
        "by": answer.get("by") or "script",
        "comment": answer.get("comment") or filled_in.get("comment", ""),
        "form": answer.get("form") or filled_in,
        "group": answer.get("group"),
        "at": rfc3339(at),
    }
    word = "approve" if verdict == "approved" else "reject"
    return {"decision": verdict, **vote, "votes": [{**vote, "decision": word}]}


def _refuse_odd_types(answer: Mapping[str, Any]) -> None:
    """Pass what a page or the API could hand on. Raises InputRefusedError."""
    wanted: dict[str, tuple[type, str]] = {
        **dict.fromkeys(("data", "form"), (dict, "an object: what is filled in")),
        **dict.fromkeys(("comment", "by", "group"), (str, "text")),
    }
    for name, (kind, what) in wanted.items():
        if answer.get(name) is not None and not isinstance(answer[name], kind):
            message = f"`{name}` must be {what}."
            raise InputRefusedError(message, [Problem("answer_invalid", message, f"/{name}")])


def approval_in_words(request: ApprovalRequest) -> str:
    """Return what became of a closed request: 'approved by lena at 2026-03-01T10:00:00Z'."""
    at = rfc3339(request.closed_at) if request.closed_at else "an unknown time"
    if request.status == "timed_out":
        return f"closed by its timer at {at}"
    if request.status == "cancelled":
        return f"closed with its run at {at}"
    return f"{request.status} by {request.closed_by} at {at}"


def _vote_in_decision(vote: Vote) -> JSONObject:
    return {
        "by": vote.username,
        "decision": vote.decision,
        "at": rfc3339(vote.at),
        "comment": vote.comment,
        "form": vote.form,
        "group": vote.group or None,
    }
