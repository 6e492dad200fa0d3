"""Answers to the engine's own questions: who may give one is looked up when it is given."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from workflows import clock
from workflows.context.values import check_value, digest
from workflows.definition.schema_check import validate_value
from workflows.engine.commands import resolve
from workflows.engine.hints import Hint
from workflows.engine.questions import ask_next
from workflows.errors import (
    ConflictError,
    KeyReusedError,
    NotFoundError,
    PermissionRefusedError,
)
from workflows.models import Suspension
from workflows.selectors.questions import addressees_in_words, as_id, may_answer
from workflows.services.after import say
from workflows.services.again import made_again
from workflows.services.events import suspension_over
from workflows.services.requests import check_key
from workflows.store import questions, runs, suspensions

#: Largest answer, in bytes of JSON.
MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answered:
    """What a person is told; `is_repeat`: the same delivery had been answered before."""

    question: UUID
    run: UUID
    node: str
    by: str
    at: datetime
    is_repeat: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form; equal for a repeated delivery."""
        at = self.at.isoformat().replace("+00:00", "Z")
        found = {"question": str(self.question), "run": str(self.run), "node": self.node}
        return {**found, "by": self.by, "at": at}


@made_again
def answer_question(
    question_id: UUID | str, data: Any, *, by: AbstractBaseUser, key: str | None = None
) -> Answered:
    """Answer a question: its thread goes on, and the next question of its family is asked.

    All of it is one transaction. The same `key` by the same person is one delivery: it returns the
    first answer and changes nothing.

    Args:
        question_id: the suspension that asks.
        data: the answer, a JSON value that fits the question's form.
        by: who answers.
        key: idempotency key of this delivery.

    Raises:
        NotFoundError: there is no such question.
        PermissionRefusedError: it is for others; `rule` in the details is `not_asked`, `inactive`.
        ConflictError: it was answered, has timed out, was closed, or waits for its turn; the
            details say by whom and when.
        KeyReusedError: the key came with another answer before.
        InputRefusedError, ValueRefusedError: the answer does not fit the form, or is no JSON.
    """
    check_value(data, max_bytes=MAX_ANSWER_BYTES)
    check_key(key)
    with transaction.atomic():
        person: Any = get_user_model().objects.filter(pk=by.pk).first()
        question = _lock(question_id)
        first = _first_delivery(question, person, data, key=key)
        if first is not None:
            return first
        _refuse_outsider(person, question)
        _refuse_closed(question)
        check_answer(question, data)
        hints: list[Hint] = resolve.apply(
            question,
            "answer",
            data,
            answered_by=person.get_username(),
            answer_key=key or "",
            answer_digest=digest(data),
            # The history may have it only much later, and not at all when the run is cancelled.
            data={**question.data, "answer": data},
        )
        answered = _told(suspensions.by_id(question.pk) or question)
    say(hints)
    return answered


def check_answer(question: Suspension, data: Any) -> None:
    """Pass an answer that fits the question's form. Raises InputRefusedError."""
    form = question.data["form"]
    if form is not None:
        validate_value(form, data, what="the answer")


def ask_again(family: UUID) -> bool:
    """Ask the next question of a family of which none is asked; the sweeper's look."""
    with transaction.atomic():
        runs.lock_runs([family])
        question = questions.next_question(family)
        ask_next(family)
    return question is not None


def _lock(question_id: UUID | str) -> Suspension:
    """Lock the run and read the question: what follows sees all that was committed before."""
    found = suspensions.by_id(as_id(question_id))
    if found is not None and found.prompt:
        runs.lock_run(found.run_id)
        fresh = suspensions.by_id(found.pk)
        if fresh is not None:
            return fresh
    raise NotFoundError(f"There is no question {question_id}.")


def _first_delivery(
    question: Suspension, person: Any, data: Any, *, key: str | None
) -> Answered | None:
    """Return what the first delivery with this key was told, if this is a repeat of it."""
    is_same = bool(key) and question.answer_key == key and question.resolved_by == "answer"
    if not is_same or person is None or question.answered_by != person.get_username():
        return None
    if question.answer_digest != digest(data):
        message = f"The key {key!r} was used for another answer to this question."
        raise KeyReusedError(message)
    return _told(question, is_repeat=True)


def _refuse_outsider(person: Any, question: Suspension) -> None:
    if person is None or not person.is_active:
        message = "This account is not active."
        raise PermissionRefusedError(message, rule="inactive")
    if not may_answer(person, question):
        who = addressees_in_words(question)
        message = f"{person.get_username()!r} was not asked: only {who} may answer."
        raise PermissionRefusedError(message, rule="not_asked")


def _refuse_closed(question: Suspension) -> None:
    if question.state != "open":
        raise suspension_over(question)
    if not question.is_asked:
        message = "This question is not asked yet: another one of its run comes first."
        raise ConflictError(message, turn=question.turn)


def _told(question: Suspension, *, is_repeat: bool = False) -> Answered:
    return Answered(
        question.pk,
        question.run_id,
        question.node,
        question.answered_by,
        question.over_at or clock.now(),
        is_repeat,
    )
