"""Messages by Celery: names and ids only. Nothing here raises: what is not sent is swept."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn
from uuid import UUID

from celery import chord, current_app, signature
from celery.app.task import Task
from celery.exceptions import CeleryError, Ignore, Reject
from django.db import Error
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

from workflows import clock, conf
from workflows.engine.hints import EventLeft, GroupOpened, ThreadReady

logger = logging.getLogger("workflows.dispatch")

#: The reason of a slot's Reject, by which the log knows it from a fault.
GIVES_WAY = "gives way"
_LOST = "could not send %s, left to the sweeper: %s"
#: What a broker that is down, full or restarting makes a publisher see.
_UNSENT = (OperationalError, KombuError, CeleryError, RedisError, OSError)


def send_threads(ready: Sequence[ThreadReady]) -> None:
    """Send one message a thread, over one connection."""

    def send() -> None:
        with current_app.producer_pool.acquire(block=True) as producer:
            for hint in ready:
                current_app.send_task(
                    "workflows.advance",
                    (hint.thread_id, hint.seq),
                    queue=hint.queue,
                    priority=hint.priority,
                    producer=producer,
                    retry=False,
                    ignore_result=True,
                )

    best_effort(send, "threads")


def send_deliveries(left: Sequence[EventLeft]) -> None:
    """Send one message an event that is still to be offered to waits."""

    def send() -> None:
        for hint in left:
            current_app.send_task(
                "workflows.deliver",
                (hint.candidate_id,),
                queue=conf.settings().default_queue,
                retry=False,
                ignore_result=True,
            )

    best_effort(send, "deliveries")


def send_chord(opened: GroupOpened) -> None:
    """Send a group's chord: its slots are the header, the join is the body.

    The group's id is the chord's, so that a slot that sends itself on stays the same part.
    """
    group_id = str(opened.group_id)
    slots = [
        signature("workflows.slot", (group_id, idx, 0), queue=opened.queue, immutable=True)
        for idx in range(opened.slots)
    ]
    body = signature("workflows.join", (group_id,), immutable=True, ignore_result=True)

    def send() -> None:
        chord(slots, body).apply_async(retry=False)

    best_effort(send, "a chord")


def send_helpers(group_id: UUID, queue: str, count: int) -> None:
    """Send slots that belong to no chord."""
    names = (str(group_id), clock.now().isoformat())

    def send() -> None:
        for _ in range(count):
            current_app.send_task(
                "workflows.help", names, queue=queue, retry=False, ignore_result=True
            )

    best_effort(send, "helpers")


def queue_of(task: Task[..., Any]) -> str:
    """Return the queue that the current message came from."""
    delivery = task.request.delivery_info or {}
    return str(delivery["routing_key"])


def come_back(task: Task[..., Any], args: tuple[Any, ...], *, delay: float) -> None:
    """Send a message again, to the queue that it came from, after `delay` seconds."""

    def send() -> None:
        task.apply_async(args, queue=queue_of(task), countdown=delay, retry=False)

    best_effort(send, "a message again")


def ignore() -> NoReturn:
    """Drop a message that another copy has overtaken; it is not counted. Raises Ignore."""
    raise Ignore


def give_way(
    task: Task[..., Any], pass_on: Callable[[Callable[[], object]], bool], hop: int
) -> None:
    """Put a slot's work behind what else is in its queue, as the same part of its chord.

    On Redis the message itself goes to the end of the queue, in one step, so no copy can arise.
    RabbitMQ would put it back in its old place and count the delivery, so there the slot sends
    itself again.

    Raises:
        Reject, Ignore: always; Celery does not count this execution.
    """
    if task.app.connection_for_write().transport.driver_type == "redis":
        raise Reject(GIVES_WAY, requeue=True)
    send_again(task, pass_on, hop)


def send_again(
    task: Task[..., Any],
    pass_on: Callable[[Callable[[], object]], bool],
    hop: int,
    delay: float = 0,
) -> None:
    """Send a slot again under its own chord task id with the next hop number. Raises Ignore."""
    request = task.request
    group_id, idx, *_ = request.args or ()
    options: dict[str, Any] = {
        "task_id": request.id,
        "chord": request.chord,
        "group_id": request.group,
        "group_index": request.group_index,
        "root_id": request.root_id,
        "parent_id": request.parent_id,
        "countdown": delay or None,
    }

    def send() -> None:
        pass_on(
            lambda: task.apply_async(
                (group_id, idx, hop + 1), queue=queue_of(task), retry=False, **options
            )
        )

    try:
        # When it cannot be sent, the group stands still and the sweeper sends helpers.
        best_effort(send, "a slot")
    except Error:
        # The baton cannot be passed on while the database is away: this message comes back.
        raise Reject(GIVES_WAY, requeue=True) from None
    raise Ignore


def best_effort(send: Callable[[], None], what: str) -> bool:
    """Send something; False, and a line in the log, when the broker did not take it."""
    try:
        send()
    except _UNSENT as error:
        logger.warning(_LOST, what, type(error).__name__)
        return False
    return True


@contextmanager
def unsent_messages() -> Iterator[list[str]]:
    """Give what could not be sent inside the block, instead of lines in the log."""
    unsent: list[str] = []

    def catch(record: logging.LogRecord) -> bool:
        if record.msg == _LOST:
            unsent.append(record.getMessage())
        return record.msg != _LOST

    logger.addFilter(catch)
    try:
        yield unsent
    finally:
        logger.removeFilter(catch)
