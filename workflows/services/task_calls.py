"""What Celery tasks that threads wait for end with: taken once, refused when it is too late."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from workflows import conf
from workflows.context.values import check_value
from workflows.dispatch import publish
from workflows.dispatch.task_calls import FAILED, NOT_JSON, TaskCall, failed
from workflows.engine.commands import resolve
from workflows.errors import ValueRefusedError
from workflows.models import Suspension
from workflows.services.after import say
from workflows.services.again import made_again
from workflows.store import suspensions

logger = logging.getLogger("workflows.task_calls")


def run_task_here(call: TaskCall) -> None:
    """Run a task in this process and take its answer: for the inline dispatcher."""
    ending = publish.run_task(call)
    if ending is not None:
        end_task(call.id, ending)


@made_again
def end_task(suspension_id: UUID | str, ending: Mapping[str, Any]) -> bool:
    """Wake the thread that waits for a task; False when nobody waits for it any more.

    Args:
        suspension_id: the wait, which is also the id of the task.
        ending: `{"answer": value}`, or `{"error": {"code", "message", "details"}}`.
    """
    with transaction.atomic():
        wait = suspensions.by_id(UUID(str(suspension_id)))
        if wait is None or wait.kind != "task":
            return False
        hints = resolve.apply(wait, "task", _checked(wait, ending))
    if not hints:
        logger.info("task %s ended too late: nobody waits for it", suspension_id)
    say(hints)
    return bool(hints)


def _checked(wait: Suspension, ending: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the ending of a task; an answer that is not plain JSON is a failure."""
    if "answer" not in ending:
        return _failure(ending.get("error"))
    try:
        check_value(
            ending["answer"],
            max_bytes=conf.settings().max_value_bytes,
            setting=conf.MAX_VALUE_BYTES,
        )
    except ValueRefusedError as error:
        return failed(NOT_JSON, f"The answer of task {wait.data['name']!r}: {error.message}.")
    return {"answer": ending["answer"]}


def _failure(error: Any) -> Mapping[str, Any]:
    """Return a failure of the one shape; it came by a message, so nothing is taken for granted."""
    told = error if isinstance(error, Mapping) else {}
    details = told.get("details")
    known = details if isinstance(details, Mapping) else {}
    kept: dict[str, Any] = {"final": True} if known.get("final") is True else {}
    if isinstance(known.get("exception"), str):
        kept["exception"] = known["exception"]
    return failed(str(told.get("code") or FAILED), str(told.get("message") or ""), **kept)
