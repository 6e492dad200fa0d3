"""The waterfall of a run: what each node took, and what it waited for, on an axis with breaks."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows import clock
from workflows.admin.axis import ROW_HEIGHT, SCALE, Axis, Gap, gaps_of
from workflows.models import NodeExecution, Run
from workflows.selectors.runs import kind_in_words
from workflows.selectors.sleeps import Sleep, Sleeps, sleeps_of

#: The newest so many steps are drawn; the list of all is one click away.
MOST_STEPS = 200
_MOST_TEXT = 6000  # characters of one input or output


_RAN = {"completed": "done", "lost": "lost"}
_WORDS = {
    "waits": "asleep",
    "queued": "in the queue",
    "window": "waited for its window",
    "done": "ran",
    "failed": "ran, failed",
    "lost": "until its worker was missed",
}
_NOUNS = {
    "timer": "its time",
    "event": "an event",
    "person": "a person",
    "lock": "a lock",
    "relock": "its lock again",
    "child": "a child run",
    "task": "a task",
    "parts": "its branches",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a step on the axis; `what` is its CSS class: a key of `_WORDS`."""

    what: str
    x: float
    width: float
    told: str


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt of one node, or a wait that is still open or was cancelled."""

    node: str
    kind: str
    came_from: str
    attempt: int
    status: str
    bars: list[Bar]
    told: str
    started_at: datetime
    parts: list[tuple[str, str]]  # input, output, error as text
    id: int | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The steps in order, and what of the axis is cut short."""

    steps: list[Step]
    gaps: list[Gap]
    left_out: int
    axis_height: int  # pixels, for all rows of words


def timeline_of(run: Run, now: datetime) -> Timeline:
    """Return the waterfall of a run: its newest steps, and sleeps that are open or cancelled."""
    history = NodeExecution.objects.filter(run=run)
    rows = list(history.order_by("-id")[:MOST_STEPS])[::-1]
    left_out = history.count() - len(rows) if len(rows) == MOST_STEPS else 0
    end = run.ended_at or now
    sleeps = sleeps_of(run, rows, 2 * MOST_STEPS, end)
    alone = sleeps.alone[:MOST_STEPS]
    busy = [(run.created_at, run.created_at), (end, end)]
    busy += [
        (row.started_at if _slept(row, sleeps) else row.queued_at, row.ended_at) for row in rows
    ]
    busy += [(each.end, each.end) for each in alone]
    slept = [*sleeps.of_steps.values(), *alone]
    changes = [moment for each in slept for moment in (each.begin, each.end)]
    changes += [row.queued_at for row in rows]
    axis = Axis(busy, changes)
    steps = [_step(row, axis, sleeps) for row in rows]
    steps += [_sleeping(each, axis) for each in alone]
    gaps = gaps_of(axis)
    height = max((gap.y + 3 for gap in gaps if gap.y is not None), default=ROW_HEIGHT)
    return Timeline(steps, gaps, left_out, height)


def _slept(row: NodeExecution, sleeps: Sleeps) -> bool:
    """Tell whether the time before a row is told as sleep: the one of a join is no queue."""
    return (row.thread_id, row.seq) in sleeps.of_steps


def _step(row: NodeExecution, axis: Axis, sleeps: Sleeps) -> Step:
    bars = []
    begin, took, ran_from = row.started_at, row.ended_at - row.started_at, row.started_at
    slept = sleeps.of_steps.get((row.thread_id, row.seq))
    if slept is not None:
        # The history has only what came after the sleep: a moment, where a person took days.
        begin, took = slept.begin, slept.end - slept.begin
        bars.append(_bar("waits", axis, slept.begin, slept.end))
        ran_from = max(row.started_at, slept.end) if slept.kind == "parts" else ran_from
    shut_out = sleeps.windows.get(row.thread_id) if row.seq == 0 else None
    let_in = min(begin, row.queued_at)
    if shut_out is not None and let_in > shut_out:
        bars.insert(0, _bar("window", axis, shut_out, let_in))
    if row.started_at > row.queued_at and (slept is None or slept.kind != "parts"):
        bars.append(_bar("queued", axis, row.queued_at, row.started_at))
    bars.append(
        _bar(_RAN.get(row.status, "failed"), axis, min(ran_from, row.ended_at), row.ended_at)
    )
    values = (("Input", row.input), ("Output", row.output), ("Error", row.error))
    return Step(
        node=row.node,
        kind=kind_in_words(row.kind, row.input),
        came_from=row.came_from,
        attempt=row.attempt,
        status=row.status,
        bars=bars,
        told=clock.spoken(took),
        started_at=begin,
        parts=[(name, pretty(value)) for name, value in values if value is not None],
        id=row.pk,
    )


def _sleeping(sleep: Sleep, axis: Axis) -> Step:
    """Return a sleep that no row of the history tells of: it goes on, or nobody ended it."""
    cancelled = sleep.is_cancelled
    return Step(
        node=sleep.node,
        kind=f"{'waited' if cancelled else 'waits'} for {_NOUNS.get(sleep.kind, sleep.kind)}",
        came_from="",
        attempt=1,
        status="cancelled" if cancelled else "waiting",
        bars=[_bar("waits", axis, sleep.begin, sleep.end)],
        told=clock.spoken(sleep.end - sleep.begin),
        started_at=sleep.begin,
        parts=[],
        id=None,
    )


def _bar(what: str, axis: Axis, begin: datetime, end: datetime) -> Bar:
    x = axis.place(begin)
    width = max(axis.place(end) - x, 0.35)
    return Bar(
        what,
        round(min(x, SCALE - width), 2),
        round(width, 2),
        f"{_WORDS[what]} {clock.spoken(end - begin)}",
    )


def pretty(value: Any) -> str:
    """Return a JSON value as readable text, cut when it is long."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if len(text) <= _MOST_TEXT:
        return text
    return f"{text[:_MOST_TEXT]}\n… {len(text) - _MOST_TEXT:,} characters more"
