"""Sends messages, best effort: the rows already say what they say."""

from collections.abc import Collection, Sequence
from uuid import UUID

from workflows import conf
from workflows.dispatch import celery, celery_tasks, inline
from workflows.dispatch.task_calls import Ending, TaskCall, stubbed, stubbed_names
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


def send_task(call: TaskCall) -> bool:
    """Send a Celery task; False when it was not sent."""
    return inline.add_task(call) if _is_inline() else celery_tasks.send_task(call)


def run_task(call: TaskCall) -> Ending | None:
    """Run a task in this process, or let its stub answer; None when it ended without an answer."""
    return stubbed(call) or celery_tasks.run_here(call)


def task_names() -> Collection[str]:
    """Return the names of the Celery tasks that are registered here, or stubbed."""
    return [*stubbed_names(), *celery_tasks.task_names()]


def _is_inline() -> bool:
    return conf.settings().dispatcher == "inline" or inline.is_active()
