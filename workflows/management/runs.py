"""A run as JSON and as a drawing, for every verb that shows one."""

import json
from typing import Any

from rich.console import Console

from workflows import clock
from workflows.management.answers import plain, row, say, status_text, table, when
from workflows.models import Run
from workflows.selectors.families import children_of, tree_of
from workflows.selectors.runs import (
    history_of,
    kind_in_words,
    progress_of,
    progress_share,
    progress_words,
    value_for_people,
    waits_of,
)
from workflows.selectors.sleeps import cancelled_waits
from workflows.selectors.waits import open_waits

_WIDEST = 2000  # characters of an input or output that people are shown
_WAITS_SHOWN = 20
_CHILDREN_SHOWN = 100
_TREE_SHOWN = 50
_CANCELLED_SHOWN = 100


def short_data(run: Run) -> dict[str, Any]:
    """Return one run as a line of a list."""
    return {
        "id": str(run.pk),
        "workflow": run.workflow_name,
        "version": run.version.number,
        "status": run.status,
        "result": run.result or None,
        "reason": run.reason,
        "key": run.key,
        "parent": str(run.parent_id) if run.parent_id else None,
        "depth": run.depth,
        "started_by": run.started_by.get_username() if run.started_by else None,
        "created_at": run.created_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
    }


def run_data(run: Run) -> dict[str, Any]:
    """Return all that `show` tells about a run, without its history."""
    return {
        **short_data(run),
        "input": value_for_people(lambda: run.input),
        "output": value_for_people(lambda: run.output),
        "error": run.error,
        "waits": [wait.as_dict() for wait in open_waits(run)],
        "waits_total": waits_of(run).count(),
        "groups": [_group_data(group) for group in progress_of(run)],
        "children": [_child_data(child) for child in children_of(run)[:_CHILDREN_SHOWN]],
        "children_total": children_of(run).count(),
    }


def history_data(run: Run) -> list[dict[str, Any]]:
    """Return every attempt of every node, in order."""
    return [
        {
            "node": each.node,
            "kind": each.kind,
            "from": each.came_from or None,
            "thread": each.thread_id,
            "attempt": each.attempt,
            "status": each.status,
            "input": each.input,
            "output": each.output,
            "error": each.error,
            "worker": each.worker,
            "queued_at": each.queued_at.isoformat(),
            "started_at": each.started_at.isoformat(),
            "ended_at": each.ended_at.isoformat(),
        }
        for each in history_of(run)
    ]


def draw_run(console: Console, run: Run) -> None:
    """Draw how a run stands."""
    verdict = f" ({run.result})" if run.result else ""
    say(console, f"Run {run.pk}  ", status_text(run.status), verdict)
    say(console, f"  workflow  {run.workflow_name} v{run.version.number}")
    by = f" by {run.started_by.get_username()}" if run.started_by else ""
    say(console, f"  started   {when(run.created_at)}{by}")
    if run.ended_at:
        say(console, f"  ended     {when(run.ended_at)}")
    if run.parent_id:
        at = f", at node {run.asked_by.node}" if run.asked_by else ""
        say(console, f"  child of  {run.parent_id}{at}")
    for name, value in (("key", run.key), ("reason", run.reason)):
        if value:
            say(console, f"  {name:<9} {value}")
    _draw_error(console, run.error)
    output = value_for_people(lambda: run.output)
    if output is not None:
        say(console, f"  output    {_clipped(output)}")
    _draw_waits(console, run)
    _draw_groups(console, run)
    _draw_children(console, run)


def draw_history(console: Console, run: Run) -> None:
    """Draw every attempt of every node."""
    drawn = table("node", "kind", "from", "try", "status", "queued", "ran", "error")
    for each in history_of(run).iterator():
        error = each.error or {}
        told = f"{error.get('code')}: {error.get('message')}" if error else ""
        waited, ran = each.started_at - each.queued_at, each.ended_at - each.started_at
        times = (f"{waited.total_seconds():.3f} s", f"{ran.total_seconds():.3f} s")
        kind = kind_in_words(each.kind, each.input)
        cells = (each.node, kind, each.came_from, each.attempt, status_text(each.status))
        drawn.add_row(*row(*cells, *times, told))
    for wait in cancelled_waits(run, _CANCELLED_SHOWN):
        length = (wait.over_at or wait.opened_at) - wait.opened_at
        slept = f"waited for {wait.kind}, {clock.spoken(length)} asleep"
        at = (wait.node, "", "", wait.attempt, status_text("cancelled"))
        drawn.add_row(*row(*at, "", "", slept))
    console.print(drawn)


def _group_data(group: dict[str, Any]) -> dict[str, Any]:
    return {**group, "id": str(group["id"]), "opened_at": group["opened_at"].isoformat()}


def _draw_error(console: Console, error: Any) -> None:
    if not error:
        return
    where = f" at node {error['node']}" if error.get("node") else ""
    tries = f", attempt {error['attempt']}" if error.get("attempt") else ""
    code = status_text("error")
    say(console, "  ", code, f"     {error.get('code')}{where}{tries}: {error.get('message')}")


def _draw_waits(console: Console, run: Run) -> None:
    waits = open_waits(run, _WAITS_SHOWN)
    if not waits:
        return
    say(console, "")
    drawn = table("waits at", "for", "since", "until", "who can end it", "suspension")
    for each in waits:
        times = when(each.since), when(each.wake_at) or "no limit"
        drawn.add_row(*row(each.node, each.what, *times, each.who, each.suspension[:8]))
    console.print(drawn)
    more = waits_of(run).count() - len(waits)
    if more > 0:
        say(console, f"... and {more} more")


def _draw_groups(console: Console, run: Run) -> None:
    groups = progress_of(run)
    if not groups:
        return
    say(console, "")
    drawn = table("group", "state", "done", "", "window")
    for each in groups:
        share = progress_share(each)
        bar = "█" * round(20 * share) + "░" * (20 - round(20 * share))
        cells = (each["node"], each["state"], progress_words(each), bar)
        drawn.add_row(*row(*cells, each["parallel"] or "no limit"))
    console.print(drawn)


def _child_data(child: Run) -> dict[str, Any]:
    return {**short_data(child), "node": child.asked_by.node if child.asked_by else None}


def _draw_children(console: Console, run: Run) -> None:
    below, left_out = tree_of(run, _TREE_SHOWN)
    if not below:
        return
    say(console, "")
    drawn = table("child run", "at", "workflow", "status", "started")
    for each in below:
        child = each.run
        name = f"{child.workflow_name} v{child.version.number}"
        place = f"{'  ' * (each.level - 1)}{each.node or ''}"
        status = status_text(child.status)
        drawn.add_row(*row(str(child.pk), place, name, status, when(child.created_at)))
    console.print(drawn)
    if left_out:
        say(console, f"... and {left_out} more of these")


def _clipped(value: Any) -> str:
    text = plain(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]} ... (all of it with --json)"
