"""How a run becomes final: everything in it stops, and what it leaves is written down."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from workflows import conf
from workflows.compiler.plan import UNDOING, Plan
from workflows.definition.schema_check import validate_value
from workflows.engine.children import tell_parent
from workflows.engine.hints import Hint, LockLeft, ThreadReady
from workflows.engine.orphans import leave_orphans
from workflows.engine.questions import ask_next
from workflows.engine.settlements import message_end
from workflows.errors import InputRefusedError
from workflows.models import Run, Suspension
from workflows.nodes.outcomes import JSONObject
from workflows.nodes.registry import are_plugin_hooks_on
from workflows.store import (
    compensations,
    groups,
    history,
    locks,
    questions,
    runs,
    suspensions,
    threads,
)


def stop_all(
    run: Run, plan: Plan, by: str, within: Collection[UUID] | None = None
) -> list[Suspension]:
    """Cancel every thread, group and wait of a locked run, in the order of locks.

    Args:
        run: the run.
        plan: its plan.
        by: what the plug-ins are told that the waits were closed by.
        within: stop only what is in these groups.

    Returns:
        The waits that were closed.
    """
    if within is None and not threads.has_live(run.pk):
        return []  # groups and waits are open only while a thread sleeps at them
    family = questions.lock_queue(run) if questions.has_questions(run.pk) else None
    groups.cancel_all([run.pk], within)
    closed = suspensions.close_all([run.pk], within)
    for suspension in closed:
        if suspension.is_asked and are_plugin_hooks_on():
            plan.nodes[suspension.node].kind.on_closed(str(suspension.pk), by)
    if family is not None:
        ask_next(family)
    threads.cancel_all([run.pk], within)
    return closed


def stop_groups(run: Run, plan: Plan, group_ids: Collection[UUID]) -> list[Hint]:
    """Cancel what lives in a closed group and the groups inside of it, in a locked run."""
    closed = stop_all(run, plan, "join", within=group_ids)
    hints = _free_locks([run.pk], group_ids) if plan.has_locks else []
    return hints + (leave_orphans(run.pk) if any(wait.kind == "child" for wait in closed) else [])


def fits(plan: Plan, output: Any) -> bool:
    """Tell whether an output is what the workflow's schema asks for."""
    try:
        validate_value(plan.definition.output, output, what="the run's output")
    except InputRefusedError:
        return False
    return True


def complete(run: Run, plan: Plan, context: JSONObject) -> list[Hint]:
    """End a locked run with the output of the last `end`, or `context` when none was reached."""
    closed = stop_all(run, plan, "complete")
    last = history.last_end(run.pk)
    outcome: dict[str, Any] = last or {"output": context, "result": "ok", "reason": ""}
    try:
        validate_value(plan.definition.output, outcome["output"], what="the run's output")
    except InputRefusedError as error:
        failure = {"code": "output_invalid", "message": error.message}
        return _finish(run, plan, closed, "fail", error=failure, output=outcome["output"])
    written = {key: outcome[key] for key in ("output", "result", "reason")}
    return _finish(run, plan, closed, "complete", **written)


def fail(run: Run, plan: Plan, error: JSONObject) -> list[Hint]:
    """End a locked run as failed: its live threads are cancelled, their late results refused."""
    return _finish(run, plan, stop_all(run, plan, "fail"), "fail", error=error)


def cancel(run: Run, plan: Plan, reason: str) -> list[Hint]:
    """End a locked run as cancelled."""
    return _finish(run, plan, stop_all(run, plan, "cancel"), "cancel", reason=reason)


def undo(run: Run, plan: Plan, reason: str) -> list[Hint]:
    """Stop everything in a locked run but what undoes its steps: then it ends as cancelled.

    By a thread of its own: those that were stopped stay as they were. Whether there is anything to
    undo is asked when all have stopped: until then one of them may still write a step.
    """
    closed = stop_all(run, plan, "cancel")
    if compensations.newest(run.pk) is None:
        return _finish(run, plan, closed, "cancel", reason=reason, undoes=True)
    runs.wind_up(run, reason)
    queue = conf.settings().default_queue
    thread_id = threads.insert_at(run.pk, UNDOING, queue=queue, lease_until=message_end())
    hints: list[Hint] = [ThreadReady(thread_id, 0, queue)]
    hints += _free_locks([run.pk]) if plan.has_locks else []
    return hints + (leave_orphans(run.pk) if any(one.kind == "child" for one in closed) else [])


def cancel_together(locked: Sequence[Run], reason: str) -> list[Hint]:
    """End several locked runs as cancelled: runs that nobody waits for and that ask nobody.

    In the order of locks, as for one: first everything of one sort, then of the next.
    """
    run_ids = [run.pk for run in locked]
    groups.cancel_all(run_ids)
    suspensions.close_all(run_ids)
    threads.cancel_all(run_ids)
    runs.cancel_together(locked, reason)
    return _free_locks(run_ids) + leave_orphans(*run_ids)


def _free_locks(run_ids: Collection[UUID], within: Collection[UUID] | None = None) -> list[Hint]:
    """Return the hint that those come next who wait for the locks of what was stopped."""
    names = locks.names_in(run_ids, within)
    return [LockLeft(tuple(names))] if names else []


def _finish(
    run: Run, plan: Plan, closed: list[Suspension], event: str, **fields: Any
) -> list[Hint]:
    """Write the end down, and tell whoever waits for it: every end of a run comes through here."""
    runs.finish(run, event, **fields)
    hints = tell_parent(run)
    if event == "cancel" or any(wait.kind == "child" for wait in closed):
        hints += leave_orphans(run.pk)
    return hints + _free_locks([run.pk]) if plan.has_locks else hints
