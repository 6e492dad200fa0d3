"""The public verbs: a request is opened and closed with its thread's sleep, and decided here.

Lock order. The engine locks run < group < suspension < thread, and calls `open_request` and
`close_request` while it holds some of these. A decision therefore starts at the top as well:
`lock_run`, then the request's row, then `resolve`, which takes suspension and thread. A request's
row is only ever changed under the lock of its run, and nothing is locked after it that another
transaction could hold while it waits for the row. Locking the row first would be a deadlock with
a timer: it holds the suspension and wants the row, the decision holds the row and wants the
suspension.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from approvals import selectors
from approvals.decisions import (
    DecisionResult,
    approval_in_words,
    people_decision,
    result_of,
    rfc3339,
)
from approvals.models import Addressee, ApprovalRequest, Choice, RequestStatus, Vote
from approvals.policy import Person, Rules, group_through, verdict, why_not, why_unsettleable
from workflows import services as engine
from workflows.clock import now
from workflows.context.values import check_value
from workflows.errors import (
    ConflictError,
    InputRefusedError,
    KeyReusedError,
    NodeError,
    NotFoundError,
    PermissionRefusedError,
    Problem,
)
from workflows.services.again import made_again
from workflows.services.requests import check_key

#: Largest comment and form of one vote together, in bytes of JSON.
MAX_ANSWER_BYTES = 64 * 1024

_CLOSED_AS = {"timer": RequestStatus.TIMED_OUT}


@dataclass(frozen=True, slots=True)
class Question:
    """What an `approval` node asks, rendered; `shown` maps context paths to their values."""

    run_id: str
    workflow: str
    node: str
    title: str
    groups: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    need: str = "1"
    form: dict[str, Any] | None = None
    shown: dict[str, Any] = field(default_factory=dict)
    is_requester_barred: bool = True
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    """One delivery of one person's answer, checked."""

    decision: Choice
    comment: str
    form: dict[str, Any]
    key: str

    def is_that_of(self, vote: Vote) -> bool:
        mine = (self.decision, self.comment, self.form)
        return mine == (vote.decision, vote.comment, vote.form)


def open_request(suspension_id: str, question: Question) -> ApprovalRequest:
    """Write the request of a thread that falls asleep, inside the engine's transaction.

    Raises:
        NodeError: Nobody could ever settle it: the node fails instead of sleeping for ever.
    """
    request = ApprovalRequest(
        suspension_id=suspension_id,
        run_id=question.run_id,
        workflow_name=question.workflow,
        node=question.node,
        title=question.title,
        need=question.need,
        form=question.form,
        shown=question.shown,
        is_requester_barred=question.is_requester_barred,
        due_at=question.due_at,
        opened_at=now(),
    )
    request.requester_id = request.run.started_by_id
    _refuse_unsettleable(request, question)
    request.save(force_insert=True)
    named = [(True, name) for name in question.groups] + [(False, name) for name in question.users]
    Addressee.objects.bulk_create(
        Addressee(request=request, is_group=is_group, name=name) for is_group, name in named
    )
    return request


def close_request(suspension_id: str, by: str) -> None:
    """Close a request whose thread was woken or stopped otherwise: `timer` or `cancel`.

    A compare-and-set without a lock of its own: the engine holds the run, see above.
    """
    ApprovalRequest.objects.filter(suspension_id=suspension_id, status=RequestStatus.OPEN).update(
        status=_CLOSED_AS.get(by, RequestStatus.CANCELLED), closed_at=now(), closed_by=by
    )


@made_again
def decide(
    request_id: UUID | str,
    *,
    user: selectors.AnyUser,
    decision: str,
    comment: str = "",
    form: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> DecisionResult:
    """Give one person's answer; when it settles the request, its thread is woken with it.

    Vote, request, suspension and thread change in one transaction, or none of them does. The same
    `key` by the same person is one delivery: it returns the first answer and changes nothing. A
    rejection may leave the form empty; what it fills in is checked all the same.

    Raises:
        NotFoundError: There is no such request.
        PermissionRefusedError: A rule stands in the way; `rule` in the details names it.
        ConflictError: Decided, timed out or cancelled before, or this person has voted already;
            the details say by whom and when.
        KeyReusedError: The key came with another answer before.
        InputRefusedError: Unknown decision, or a form that does not fit its schema.
        ValueRefusedError: Comment, form or key is too large, or no plain JSON.
    """
    answer = _read_answer(decision, comment, form=form, key=key)
    with transaction.atomic():
        request = _lock_request(request_id)
        person = selectors.person_now(user)
        first = request.votes.filter(user_id=person.id).first()
        if first is not None and answer.key and first.key == answer.key:
            return _repeat(first, answer)
        rules = selectors.rules_of(request)
        _refuse_outsider(person, rules)
        _refuse_late(request, first)
        check_form(request.form, answer.form, is_optional=answer.decision == Choice.REJECT)
        return _record(request, _vote(request, answer, person=person, rules=rules))


def _read_answer(
    decision: str, comment: str, *, form: Mapping[str, Any] | None, key: str | None
) -> _Answer:
    said, filled_in = comment.strip(), dict(form or {})
    check_value({"comment": said, "form": filled_in}, max_bytes=MAX_ANSWER_BYTES)
    if decision not in Choice.values:
        raise _refused("/decision", f"is {decision[:40]!r}; it can be 'approve' or 'reject'")
    check_key(key)
    return _Answer(Choice(decision), said, filled_in, key or "")


def _lock_request(request_id: UUID | str) -> ApprovalRequest:
    """Lock the run, then the request's row: see the lock order above."""
    requests = ApprovalRequest.objects.filter(pk=selectors.as_uuid(request_id))
    run_id = requests.values_list("run_id", flat=True).first()
    if run_id is None:
        raise NotFoundError(f"There is no approval request {request_id}.")
    engine.lock_run(run_id)
    return requests.select_for_update().get()


def _repeat(first: Vote, answer: _Answer) -> DecisionResult:
    if not answer.is_that_of(first):
        message = (
            f"The key {answer.key!r} was used for another answer to this request "
            f"({first.decision}); send a new answer with a new key."
        )
        raise KeyReusedError(message)
    return result_of(first, is_repeat=True)


def _refuse_outsider(person: Person, rules: Rules) -> None:
    refusal = why_not(person, rules)
    if refusal is not None:
        raise PermissionRefusedError(refusal.message, rule=refusal.rule)


def _refuse_late(request: ApprovalRequest, first: Vote | None) -> None:
    if request.status != RequestStatus.OPEN:
        at = rfc3339(request.closed_at) if request.closed_at else None
        message = f"This request was {approval_in_words(request)}; nothing is left to decide."
        details = {"status": request.status, "closed_by": request.closed_by, "closed_at": at}
        raise ConflictError(message, **details)
    if first is not None:
        at = rfc3339(first.at)
        message = f"{first.username!r} has answered this request ({first.decision}) at {at}."
        raise ConflictError(message, status=request.status, decision=first.decision, at=at)


def check_form(schema: Any, form: Mapping[str, Any], *, is_optional: bool) -> None:
    """Compare what was filled in with the form that a request has, or has not.

    Raises:
        InputRefusedError: it does not fit, or nothing was asked for.
    """
    if schema is None and form:
        raise _refused("/form", "is given, but this request asks for none; leave it out")
    if schema is None or (is_optional and not form):
        return
    engine.validate_value(schema, form, what="form")


def _vote(request: ApprovalRequest, answer: _Answer, *, person: Person, rules: Rules) -> Vote:
    return Vote(
        request=request,
        user_id=person.id,
        username=person.username,
        group=group_through(person, rules),
        decision=answer.decision.value,
        comment=answer.comment,
        form=answer.form,
        key=answer.key,
        at=now(),
    )


def _record(request: ApprovalRequest, vote: Vote) -> DecisionResult:
    """Write the vote, and when it settles the request, everything that follows from it."""
    votes = [*request.votes.all(), vote]
    settled = verdict(request.need, selectors.tally(request, votes))
    vote.status_after = settled or RequestStatus.OPEN
    vote.save(force_insert=True)
    if settled is not None:
        request.status = RequestStatus(settled)
        request.closed_at, request.closed_by = vote.at, vote.username
        request.decision = people_decision(settled, votes)
        request.save(update_fields=["status", "closed_at", "closed_by", "decision"])
        key = vote.key or f"vote:{vote.pk}"
        engine.resolve(
            str(request.suspension_id), request.decision, answer_key=key, by=vote.username
        )
    return result_of(vote)


def _refuse_unsettleable(request: ApprovalRequest, question: Question) -> None:
    barred = request.requester_id if question.is_requester_barred else None
    rules = Rules(tuple(question.groups), tuple(question.users), barred)
    reason = why_unsettleable(
        question.need,
        rules,
        people=selectors.candidates(rules).count(),
        unknown=selectors.unknown_names(rules),
    )
    if reason:
        message = f"Nobody could settle the approval {question.node!r}: {reason}."
        raise NodeError("approval_unsettleable", message)


def _refused(pointer: str, fault: str) -> InputRefusedError:
    message = f"The answer was refused: {pointer} {fault}."
    return InputRefusedError(message, [Problem("answer_invalid", message, pointer)])
