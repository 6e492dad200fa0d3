"""A wait is over: an answer, an event, or its time."""

from typing import Any

from workflows.engine.hints import Hint
from workflows.engine.plans import load_plan
from workflows.engine.waking import woken_by
from workflows.models import Suspension
from workflows.nodes.registry import are_plugin_hooks_on
from workflows.store import runs


def apply(suspension: Suspension, by: str, payload: Any, **answer: Any) -> list[Hint]:
    """Wake the thread; a plug-in hears of it when it did not answer itself. Empty if too late."""
    hints = woken_by(suspension, by, payload, **answer)
    if hints and by == "timer" and are_plugin_hooks_on():
        info = runs.load_info(suspension.run_id)
        plan = load_plan(info.version_id, info.digest)
        plan.nodes[suspension.node].kind.on_closed(str(suspension.pk), by)
    return hints
