"""How kinds with an activity of their own ask for it, so that limits and retries read alike."""

from typing import Any

from workflows.definition.model import WorkConfig
from workflows.nodes.base import NodeCall
from workflows.nodes.outcomes import Suspend
from workflows.nodes.suspensions import ActivityCall


def ask_for(activity: str, call: NodeCall[Any], given: dict[str, Any], *, shown: Any) -> Suspend:
    """Return the suspension that calls an internal activity.

    Args:
        activity: its name; a stub may stand in for it under this name, or `name:node`.
        call: of the node, whose config has the fields of all work.
        given: the activity's parameters; `seconds`, its time limit or None, is added.
        shown: what the history keeps as the step's input.
    """
    config: WorkConfig = call.config
    limit = config.timeout
    asked = ActivityCall(
        activity,
        {**given, "seconds": limit.total_seconds() if limit is not None else None},
        queue=config.queue,
        attempts=config.retry.attempts if config.retry else None,
        timeout=limit,
    )
    return Suspend(asked, input=shown)
