"""Sends messages, best effort: the rows already say what they say."""

from collections.abc import Sequence
from uuid import UUID

from workflows import conf
from workflows.dispatch import celery, inline
from workflows.engine.hints import EventLeft, GroupOpened, ThreadReady


def send_threads(ready: Sequence[ThreadReady]) -> None:
    """Send the messages of threads that may move."""
    if not ready:
        return
    if _is_inline():
        inline.add_threads(ready)
    else:
        celery.send_threads(ready)


def send_deliveries(left: Sequence[EventLeft]) -> None:
    """Send the messages of events that are still to be offered to waits."""
    if not left:
        return
    if _is_inline():
        inline.add_deliveries(left)
    else:
        celery.send_deliveries(left)


def send_group(opened: GroupOpened) -> None:
    """Send a group's chord, once and never again."""
    if _is_inline():
        inline.add_group(opened)
    else:
        celery.send_chord(opened)


def send_helpers(group_id: UUID, queue: str, count: int) -> None:
    """Send slots outside the chord to a group that stands still."""
    if _is_inline():
        inline.add_group(GroupOpened(group_id, queue, count))
    else:
        celery.send_helpers(group_id, queue, count)


def _is_inline() -> bool:
    return conf.settings().dispatcher == "inline" or inline.is_active()
