"""A run is accepted: it and its root thread are rows, with the versions that it will call."""

from typing import Any

from workflows import clock, conf
from workflows.compiler.plan import Plan
from workflows.engine.hints import Hint, ThreadReady
from workflows.engine.plans import load_plan
from workflows.engine.settlements import message_end
from workflows.errors import DefinitionError, NotFoundError
from workflows.models import Run, WorkflowVersion
from workflows.store import definitions, runs

#: Workflow name: (version id, its digest).
Pins = dict[str, tuple[int, str]]


def accept(version: WorkflowVersion, plan: Plan, **fields: Any) -> tuple[Run, list[Hint]]:
    """Insert a run with its root thread ready at the start node."""
    timeout = plan.definition.limits.timeout
    now = clock.now()
    run = Run(
        version=version,
        workflow_name=version.workflow.name,
        created_at=now,
        deadline_at=now + timeout if timeout is not None else None,
        **fields,
    )
    queue = conf.settings().default_queue
    thread_id = runs.insert_run(run, start=plan.start, queue=queue, lease_until=message_end())
    return run, [ThreadReady(thread_id, 0, queue)]


def pins_of(version: WorkflowVersion, plan: Plan) -> Pins | None:
    """Return the versions that a run and all its children will call; None when they call nothing.

    A workflow or version that is not there is passed over: the node that calls it will say so.
    """
    if not plan.calls:
        return None
    pins: Pins = {version.workflow.name: (version.pk, version.digest)}
    seen, to_read = {version.pk}, [plan]
    while to_read:
        for name, number in to_read.pop().calls:
            if number is None and name in pins:
                continue
            called = _version(name, number)
            if called is None:
                continue
            if number is None:
                pins[name] = (called.pk, called.digest)
            if called.pk not in seen:
                seen.add(called.pk)
                to_read += _plan(called)
    return pins


def _version(name: str, number: int | None) -> WorkflowVersion | None:
    try:
        return definitions.version_of(name, number)
    except NotFoundError:
        return None


def _plan(version: WorkflowVersion) -> list[Plan]:
    try:
        return [load_plan(version.pk, version.digest)]
    except DefinitionError:  # a kind of node is gone since it was published
        return []
