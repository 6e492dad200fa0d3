"""A run is accepted: it and its root thread are rows from now on."""

from typing import Any

from workflows.compiler.plan import Plan
from workflows.engine.hints import Hint
from workflows.engine.starting import accept, pins_of
from workflows.models import Run, WorkflowVersion


def apply(version: WorkflowVersion, plan: Plan, **fields: Any) -> tuple[Run, list[Hint]]:
    """Insert the run with its root thread ready at the start node, and pin what it will call."""
    return accept(version, plan, pins=pins_of(version, plan), **fields)
