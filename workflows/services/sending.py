"""Sends the messages of Celery tasks: by one sender at a time, and again until it was done."""

from typing import Any
from uuid import UUID

from django.db import transaction

from workflows.dispatch import publish
from workflows.dispatch.task_calls import TaskCall
from workflows.models import Suspension
from workflows.store import suspensions


def send_task(suspension_id: UUID) -> bool:
    """Send the message of a task unless it was sent; False when the broker did not take it.

    The message is sent inside the transaction, against the rule: the row is locked, so nobody else
    sends it at the same time, and a process that is killed in between leaves it unsent. A message
    that is sent twice has the same task id; the second answer finds nobody who waits.
    """
    with transaction.atomic():
        wait = suspensions.lock_unsent(suspension_id)
        if wait is None:
            return True
        is_sent = publish.send_task(_call(wait))
        if is_sent:
            suspensions.mark_sent(wait)
    return is_sent


def _call(wait: Suspension) -> TaskCall:
    asked: dict[str, Any] = wait.data
    return TaskCall(wait.pk, expires=wait.wake_at, **asked)
