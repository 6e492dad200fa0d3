"""A worker that was asked to stop gives back at once what it has not begun.

Celery does so when its last task has ended, which may be minutes later: until then nobody else can
have these messages. To give back too many does no harm, for a message is only a hint.
"""

import logging
from contextlib import suppress
from queue import Empty
from typing import Any

from celery import bootsteps
from celery.worker import state

logger = logging.getLogger("project.shutdown")


class GiveBack(bootsteps.StartStopStep):
    """Stops after the consumer, which takes no more, and before the pool, which is waited for."""

    requires = ("celery.worker.components:Pool",)

    def stop(self, parent: Any) -> None:
        """Give back the messages of the worker `parent`; what stays behind is swept."""
        try:
            channel = parent.consumer.task_consumer.channel
            _take_what_is_under_way(channel)
            _give_back(channel)
        except Exception:
            logger.warning("messages were not given back", exc_info=True)


def _take_what_is_under_way(channel: Any) -> None:
    """Read the answer to the last request for messages: Redis may have put one into it.

    Without a consumer it goes back by itself. The wait is one second at most.
    """
    if getattr(channel, "_in_poll", None):
        with suppress(Empty):
            channel._brpop_read()  # noqa: SLF001 - as kombu does when it closes the channel


def _give_back(channel: Any) -> None:
    """Put back what lies here: waiting for a process, or for its time."""
    begun = {request.message.delivery_tag for request in state.active_requests}
    known = {request.message.delivery_tag for request in state.reserved_requests}
    # On Redis this process keeps a copy of each; elsewhere those that wait for their time are
    # known to the broker alone, which has them back when the channel is closed.
    known |= set(getattr(getattr(channel, "qos", None), "_delivered", ()))
    for tag in known - begun:
        channel.basic_reject(tag, requeue=True)
