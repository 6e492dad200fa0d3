"""Requests with an idempotency key: carried out once, and answered the same way again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from workflows.context.values import check_text
from workflows.errors import ConflictError, InputRefusedError, KeyReusedError, Problem
from workflows.models import IdempotencyRecord
from workflows.store import control

#: Most characters of an idempotency key.
KEY_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered with: status, JSON body and headers of its own."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def check_key(key: str | None, *, shortest: int = 0) -> None:
    """Pass an idempotency key that a row can hold, or none.

    Raises:
        InputRefusedError: it has too few or too many characters.
        ValueRefusedError: it is no text, or cannot be kept.
    """
    if isinstance(key, str) and not shortest <= len(key) <= KEY_LENGTH:
        most = f"{shortest} to {KEY_LENGTH}" if shortest else f"at most {KEY_LENGTH}"
        message = f"An idempotency key has {most} characters; this has {len(key)}."
        raise InputRefusedError(message, [Problem("key_length", message, "/key")])
    check_text("" if key is None else key, "idempotency key", longest=KEY_LENGTH)


def answer_once(
    principal: str, key: str, digest: str, act: Callable[[], Answer]
) -> tuple[Answer, bool]:
    """Carry a request out unless it was before; return its answer, and whether that is the first.

    The work and its answer commit together, under the lock of the key's row. So a process that
    dies in between leaves nothing behind, and whoever finds the row unlocked and unanswered may
    carry the request out. A refusal is not kept: the request can be mended and sent again.

    Args:
        principal: who asks; keys of different principals are different keys.
        key: the idempotency key.
        digest: a digest of all that makes the request what it is.
        act: does the work; what it raises undoes it.

    Raises:
        KeyReusedError: the key came with another request before.
        ConflictError: the same request is being carried out at this moment.
    """
    record, _ = control.begin_request(principal, key, digest)
    if record.digest != digest:
        message = f"The idempotency key {key!r} came with another request before."
        raise KeyReusedError(message)
    try:
        with transaction.atomic():
            return _answer(record, act)
    except _RefusedError as refused:
        control.forget_request(record)
        raise refused.reason from None


class _RefusedError(Exception):
    """Carries what the work raised out of the transaction that is undone by it."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _answer(record: IdempotencyRecord, act: Callable[[], Answer]) -> tuple[Answer, bool]:
    locked = control.lock_request(record)
    if locked is None:
        message = f"The request with the key {record.key!r} is still running; ask again soon."
        raise ConflictError(message)
    if locked.status is not None:
        return Answer(locked.status, **locked.response), False
    try:
        answer = act()
    except Exception as reason:  # noqa: BLE001 - only carried out, and raised again
        raise _RefusedError(reason) from None
    kept = {"body": answer.body, "headers": answer.headers}
    control.answer_request(locked, answer.status, kept)
    return answer, True
