"""Ordinary Celery tasks, which know nothing of the engine: sent, or run here."""

import logging
from collections.abc import Collection
from typing import Any

from celery import current_app, signature, states
from kombu import Exchange, Queue
from kombu.exceptions import EncodeError
from kombu.utils.json import dumps, loads

from workflows import conf
from workflows.activities import described
from workflows.dispatch.celery import best_effort
from workflows.dispatch.task_calls import FAILED, NOT_JSON, UNKNOWN, Ending, TaskCall, failed
from workflows.errors import suggest

logger = logging.getLogger("workflows.dispatch")


def send_task(call: TaskCall) -> bool:
    """Send a task with the way back to us; False when the broker did not take it.

    The task runs in a worker of its own queue. That worker sends the answer on to ours, by `link`
    and `link_error`, so that nobody waits for it and no result need be stored.
    """
    back = {"kwargs": {"suspension": str(call.id)}, **_way_back()}
    options: dict[str, Any] = {
        "queue": _queue(call.queue),
        "priority": call.priority,
        "expires": call.expires,
    }
    given = {name: value for name, value in options.items() if value is not None}

    def send() -> None:
        current_app.send_task(
            call.name,
            call.args,
            call.kwargs,
            task_id=str(call.id),
            link=signature("workflows.task_succeeded", **back),
            link_error=signature("workflows.task_failed", **back),
            retry=False,
            **given,
        )

    return best_effort(send, f"task {call.name!r}")


def send_failure(suspension: str, error: BaseException) -> None:
    """Tell our workers that a task has failed, from the worker in which it did."""

    def send() -> None:
        args = (suspension, ended_with(error))
        current_app.send_task(
            "workflows.task_failed",
            args,
            {"suspension": suspension},
            queue=conf.settings().default_queue,
            retry=False,
            ignore_result=True,
        )

    best_effort(send, "the failure of a task")


def unexplained(task_id: object) -> Ending:
    """Return the ending of a task whose worker could not say why it failed."""
    return failed(FAILED, f"The task failed; the log of its worker has the reason: {task_id}.")


def run_here(call: TaskCall) -> Ending | None:
    """Run a registered task in this process; None when it ended without an answer."""
    names = task_names()
    if call.name not in names:
        message = f"No task {call.name!r} is registered here{suggest(call.name, set(names))}."
        return failed(UNKNOWN, message)
    task = current_app.tasks[call.name]
    try:
        done = task.apply(tuple(call.args), call.kwargs, task_id=str(call.id), throw=False)
    except KeyboardInterrupt:
        raise  # somebody stops this process
    except SystemExit:
        return failed(FAILED, f"Task {call.name!r} tried to end its process.")
    except BaseException as error:  # noqa: BLE001 - what Celery lets through, or stumbles over
        return ended_with(error)
    if done.state == states.FAILURE:
        return ended_with(done.result)
    return _as_sent(done.result) if done.state == states.SUCCESS else None


def ended_with(error: BaseException) -> Ending:
    """Return the ending that an exception of a task stands for."""
    code = NOT_JSON if isinstance(error, EncodeError) else FAILED
    text = described(error)
    return failed(code, text, exception=text.partition(":")[0])


def task_names() -> Collection[str]:
    """Return the names of the tasks that are registered in this code base."""
    current_app.loader.import_default_modules()
    return [name for name in current_app.tasks if not name.startswith("celery.")]


def _queue(name: str | None) -> Queue | str | None:
    """Return where a task goes: a queue that is not ours is never declared, it has its own sort."""
    if name is None or name in current_app.amqp.queues:
        return name
    return Queue(name, Exchange(""), routing_key=name, no_declare=True)


def _way_back() -> dict[str, Any]:
    """Return the options by which a worker of any code base reaches our queue.

    Named as a queue, it would be declared there, and of another sort than ours.
    """
    ours = current_app.amqp.queues[conf.settings().default_queue]
    if not ours.exchange.name:
        return {"queue": ours.name, "ignore_result": True}
    place = {"exchange": ours.exchange.name, "routing_key": ours.routing_key}
    return {**place, "ignore_result": True}


def _as_sent(answer: Any) -> Ending:
    """Return an answer as it would arrive by a message."""
    try:
        return {"answer": loads(dumps(answer))}
    except Exception as error:  # noqa: BLE001 - serialisers are the author's code
        return failed(NOT_JSON, described(error))
