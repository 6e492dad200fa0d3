"""Tells how a run stands, for the messages of assertions that fail."""

from workflows.models import Run, Suspension, Thread
from workflows.selectors.runs import history_of, waits_of
from workflows.states import THREAD_OVER

_SHOWN = 40


def how_it_stands(run: Run) -> str:
    """Return in words what a run is doing, or how it has ended."""
    if run.status == "failed":
        error = run.error or {}
        where = f" at {error['node']!r}" if error.get("node") else ""
        return f"it failed{where} with {error.get('code')!r}: {error.get('message')}"
    if run.status == "completed":
        because = f" because {run.reason!r}" if run.reason else ""
        return f"it completed as {run.result!r}{because}, with the output {run.output!r}"
    if run.status == "cancelled":
        return f"it was cancelled: {run.reason}"
    waits = [_wait(each) for each in waits_of(run)[:_SHOWN]]
    moving = Thread.objects.filter(run=run).exclude(state__in=(*THREAD_OVER, "suspended"))
    threads = [_thread(each) for each in moving.order_by("id")[:_SHOWN]]
    return f"it is {run.status}; " + "; ".join(waits + threads or ["nothing of it waits or moves"])


def way_of(run: Run) -> str:
    """Return the nodes that a run has come by, with what was not completed marked as such."""
    steps = list(history_of(run).values_list("node", "status")[: _SHOWN + 1])
    words = [node if status == "completed" else f"{node} ({status})" for node, status in steps]
    return (
        " -> ".join([*words[:_SHOWN], *(["..."] if len(words) > _SHOWN else [])]) or "nothing yet"
    )


def _wait(wait: Suspension) -> str:
    what = f" {wait.event_type!r} with key {wait.event_key!r}" if wait.kind == "event" else ""
    until = f" until {wait.wake_at:%Y-%m-%d %H:%M:%S}" if wait.wake_at else ""
    return f"{wait.node!r} waits for {wait.kind}{what}{until}"


def _thread(thread: Thread) -> str:
    held = f", held by a worker until {thread.lease_until:%H:%M:%S}" if thread.lease_until else ""
    return (
        f"a thread is {thread.state} at {thread.node!r}{held if thread.state == 'running' else ''}"
    )
