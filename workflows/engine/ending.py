"""How a run becomes final: everything in it stops, and what it leaves is written down."""

from typing import Any

from workflows.compiler.plan import Plan
from workflows.definition.schema_check import validate_value
from workflows.errors import InputRefusedError
from workflows.models import Run
from workflows.nodes.outcomes import JSONObject
from workflows.nodes.registry import are_plugin_hooks_on
from workflows.store import groups, history, runs, suspensions, threads


def stop_all(run: Run, plan: Plan, by: str) -> None:
    """Cancel every thread, group and wait of a locked run, in the order of locks."""
    if not threads.has_live(run.pk):
        return  # groups and waits are open only while a thread sleeps at them
    groups.cancel_all(run.pk)
    for suspension in suspensions.close_all(run.pk):
        if are_plugin_hooks_on():
            plan.nodes[suspension.node].kind.on_closed(str(suspension.pk), by)
    threads.cancel_all(run.pk)


def fits(plan: Plan, output: Any) -> bool:
    """Tell whether an output is what the workflow's schema asks for."""
    try:
        validate_value(plan.definition.output, output, what="the run's output")
    except InputRefusedError:
        return False
    return True


def complete(run: Run, plan: Plan, context: JSONObject) -> None:
    """End a locked run with the output of the last `end`, or `context` when none was reached."""
    stop_all(run, plan, "complete")
    last = history.last_end(run.pk)
    outcome: dict[str, Any] = last or {"output": context, "result": "ok", "reason": ""}
    try:
        validate_value(plan.definition.output, outcome["output"], what="the run's output")
    except InputRefusedError as error:
        failure = {"code": "output_invalid", "message": error.message}
        runs.finish(run, "fail", error=failure, output=outcome["output"])
        return
    runs.finish(
        run,
        "complete",
        output=outcome["output"],
        result=outcome["result"],
        reason=outcome["reason"],
    )


def fail(run: Run, plan: Plan, error: JSONObject) -> None:
    """End a locked run as failed: its live threads are cancelled, their late results refused."""
    stop_all(run, plan, "fail")
    runs.finish(run, "fail", error=error)
