"""The Celery tasks: each calls one service. What goes wrong stays in the rows."""

from datetime import datetime
from functools import partial
from threading import Event
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.app.task import Task
from celery.exceptions import Ignore
from celery.utils.log import get_task_logger

from workflows import clock, services
from workflows.dispatch import celery, celery_tasks

logger = get_task_logger(__name__)

#: Seconds before a slot that was interrupted comes back: the database may be away.
_AFTER_A_FAULT = 1.0


@shared_task(name="workflows.advance", bind=True, ignore_result=True)
def advance(self: Task[..., Any], thread_id: int, seq: int) -> None:
    """Move one thread."""
    worked = services.work_thread(thread_id, seq, queue=celery.queue_of(self))
    if worked.again_at is not None:
        celery.come_back(self, (thread_id, seq), delay=_seconds_to(worked.again_at))


@shared_task(name="workflows.slot", bind=True, ignore_result=True)
def slot(self: Task[..., Any], group_id: str, idx: int, hop: int) -> None:
    """Work on a group as one part of its chord; counted only when nothing is left to claim."""
    worked = _work_as_slot(self, UUID(group_id), idx, hop)
    _go_on_later(self, worked, UUID(group_id), idx, hop)
    services.end_slot(UUID(group_id), idx)


@shared_task(name="workflows.help", bind=True, ignore_result=True)
def help_group(self: Task[..., Any], group_id: str, sent_at: str) -> None:
    """Work on a group outside its chord."""
    sent = datetime.fromisoformat(sent_at)
    worked = services.help_group(UUID(group_id), queue=celery.queue_of(self), sent_at=sent)
    if worked.has_more or worked.again_at is not None:
        delay = _seconds_to(worked.again_at) if worked.again_at else 0
        celery.come_back(self, (group_id, sent_at), delay=delay)


@shared_task(name="workflows.join", ignore_result=True)
def join(group_id: str) -> None:
    """Join a group if it is over: the body of its chord."""
    services.join_group(UUID(group_id))


@shared_task(name="workflows.deliver", ignore_result=True)
def deliver(candidate_id: int) -> None:
    """Go on with offering an event to the waits for it."""
    services.deliver_left(candidate_id)


@shared_task(name="workflows.sweep", ignore_result=True)
def sweep() -> None:
    """Look for anything that should have moved."""
    services.sweep()


@shared_task(name="workflows.task_succeeded", ignore_result=True)
def task_succeeded(answer: Any, suspension: str) -> None:
    """Take the answer of a task that a thread waits for."""
    services.end_task(suspension, {"answer": answer})


@shared_task(name="workflows.task_failed", ignore_result=True)
def task_failed(task: Any, error: Any = None, _traceback: Any = None, suspension: str = "") -> None:
    """Take the failure of a task that a thread waits for.

    A worker that knows this task calls it in its own process with the exception, and the failure
    is sent on from there; one that does not sends the failed task's id alone.
    """
    if isinstance(error, BaseException):
        celery_tasks.send_failure(suspension, error)
    else:
        services.end_task(suspension, error or celery_tasks.unexplained(task))


def _work_as_slot(task: Task[..., Any], group_id: UUID, idx: int, hop: int) -> services.Worked:
    """Work, and never raise: a failed part would stop the chord."""
    try:
        if not services.begin_slot(group_id, idx, hop):
            celery.ignore()
        return services.work_group(group_id, queue=celery.queue_of(task))
    except Ignore:
        raise
    except Exception:
        logger.exception("slot %s of group %s was interrupted", idx, group_id)
        Event().wait(_AFTER_A_FAULT)
        return services.Worked(has_more=True)


def _go_on_later(
    task: Task[..., Any], worked: services.Worked, group_id: UUID, idx: int, hop: int
) -> None:
    """Send the slot on when it was held up or its time is over; Celery does not count it then."""
    pass_on = partial(services.pass_slot, group_id, idx, hop)
    if worked.again_at is not None:
        celery.send_again(task, pass_on, hop, delay=_seconds_to(worked.again_at))
    if worked.has_more:
        celery.give_way(task, pass_on, hop)


def _seconds_to(moment: datetime) -> float:
    """Return when to send what is held up again; no longer ETA is ever used."""
    wait = min(moment - clock.now(), services.LONGEST_PAUSE)
    return max(wait.total_seconds(), 0.01)
