"""`celery_task`: sends an existing Celery task, and goes on with its answer."""

from typing import Any

from pydantic import Field

from workflows.context.paths import assign
from workflows.definition.fields import ContextPath, TaskName, Template
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.compensations import UndoableConfig, finished
from workflows.nodes.outcomes import Fail, Outcome, Suspend
from workflows.nodes.readings import type_name
from workflows.nodes.suspensions import Resolution, TaskWait

#: Tasks of the engine and of Celery itself: an author could answer other people's waits by them.
RESERVED = ("workflows.", "celery.")


class CeleryTaskConfig(UndoableConfig):
    """What an author writes for a `celery_task`."""

    task: TaskName = Field(description="Name of the task; it may be one of another code base.")
    args: Template = Field([], description="Template of a list: the task's arguments.")
    kwargs: Template = Field({}, description="Template of an object: its keyword arguments.")
    queue: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Any queue of the broker; if left out, as Celery routes the task.",
    )
    result: ContextPath = Field("output", description="Where the answer is put.")


class CeleryTask(Kind[CeleryTaskConfig]):
    """Sends a task by its name and sleeps until it has ended: no slot is held meanwhile.

    The task needs to know nothing of workflows; its answer must be JSON. An exception fails the
    node with `task_failed`, an answer that is not JSON with `task_output`. A task that is lost, or
    still runs, fails it with `timeout` after `timeout`, or after the setting `task_seconds`. Each
    attempt of `retry` is a new message. A task can run twice, and what comes too late is refused.
    """

    name = "celery_task"
    Config = CeleryTaskConfig

    def sets(self, config: CeleryTaskConfig) -> tuple[str, ...]:
        return (config.result,)

    def check(self, config: CeleryTaskConfig) -> list[tuple[str, str]]:
        if config.task.startswith(RESERVED):
            return [("/task", f"{config.task!r} is a task of the engine or of Celery itself")]
        return []

    def run(self, call: NodeCall[CeleryTaskConfig]) -> Outcome:
        config = call.config
        args, kwargs = call.render(config.args), call.render(config.kwargs)
        if not isinstance(args, list):
            return _misfit("args", "a list", args)
        if not isinstance(kwargs, dict):
            return _misfit("kwargs", "an object", kwargs)
        wait = TaskWait(
            config.task,
            args,
            kwargs,
            queue=config.queue,
            priority=config.priority if "priority" in config.model_fields_set else None,
            timeout=config.timeout,
        )
        return Suspend(wait, input={"args": args, "kwargs": kwargs})

    def resume(self, call: NodeCall[CeleryTaskConfig], resolution: Resolution) -> Outcome:
        config = call.config
        if resolution.by == "timer":
            return Fail("timeout", f"Task {config.task!r} did not end in time, or was lost.")
        error = resolution.payload.get("error")
        if error is not None:
            return Fail(error["code"], error["message"], details=error.get("details"))
        answer = resolution.payload["answer"]
        return finished(call, assign(call.context, config.result, answer), answer)


def _misfit(field: str, wanted: str, value: Any) -> Fail:
    return Fail("task_input", f"`{field}` must give {wanted}; found: {type_name(value)}.")
