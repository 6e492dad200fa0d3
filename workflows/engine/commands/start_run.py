"""A run is accepted: it and its root thread are rows from now on."""

from typing import Any

from workflows import clock, conf
from workflows.compiler.plan import Plan
from workflows.engine.hints import Hint, ThreadReady
from workflows.engine.settlements import message_end
from workflows.models import Run, WorkflowVersion
from workflows.store import runs


def apply(version: WorkflowVersion, plan: Plan, **fields: Any) -> tuple[Run, list[Hint]]:
    """Insert the run with its root thread ready at the start node."""
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
