"""All that the page of a run shows, read once and in few queries."""

from dataclasses import dataclass
from typing import Any

from workflows import clock
from workflows.admin.graph import Graph, graph_of
from workflows.admin.timeline import Timeline, pretty, timeline_of
from workflows.models import Run, Thread
from workflows.selectors.families import Descendant, tree_of
from workflows.selectors.runs import (
    progress_of,
    progress_share,
    progress_words,
    value_for_people,
    waits_of,
)
from workflows.selectors.waits import Wait, open_waits, plan_of
from workflows.states import RUN_FINAL

_MOST_THREADS = 60
_MOST_WAITS = 30
_MOST_CHILDREN = 60


@dataclass(frozen=True, slots=True)
class Progress:
    """One split: how many of its parts are over."""

    node: str
    state: str
    told: str
    window: int
    share: int  # percent


@dataclass(frozen=True, slots=True)
class Page:
    """What the template draws."""

    run: Run
    is_over: bool
    took: str
    waits: list[Wait]
    more_waits: int
    groups: list[Progress]
    can_undo: bool
    graph: Graph | None
    timeline: Timeline
    threads: list[Thread]
    more_threads: int
    input: str
    output: str | None
    error: dict[str, Any] | None
    children: list[Descendant]
    more_children: int


def page_of(run: Run) -> Page:
    """Return what the page of a run shows."""
    now = clock.now()
    waits = open_waits(run, _MOST_WAITS)
    threads = Thread.objects.filter(run=run)
    children, more_children = tree_of(run, _MOST_CHILDREN)
    # Those that are not over come first: they are what is looked for.
    shown = sorted(threads.defer("context").order_by("-moved_at")[:_MOST_THREADS], key=_liveliness)
    output = value_for_people(lambda: run.output)
    return Page(
        run=run,
        is_over=run.status in RUN_FINAL,
        took=clock.spoken((run.ended_at or now) - run.created_at),
        waits=waits,
        more_waits=waits_of(run).count() - len(waits),
        groups=[_progress(each) for each in progress_of(run)],
        can_undo=_can_undo(run),
        graph=graph_of(run),
        timeline=timeline_of(run, now),
        threads=shown,
        more_threads=max(0, threads.count() - len(shown)),
        input=pretty(value_for_people(lambda: run.input)),
        output=None if output is None else pretty(output),
        error=run.error,
        children=children,
        more_children=more_children,
    )


def _can_undo(run: Run) -> bool:
    """Tell whether any step of a run may say how it is undone; a plan that is lost may."""
    plan = plan_of(run)
    nodes = plan.nodes.values() if plan is not None else ()
    return plan is None or any(getattr(node.config, "compensate", None) for node in nodes)


def _liveliness(thread: Thread) -> tuple[bool, int]:
    return thread.state in {"arrived", "ended", "cancelled"}, thread.pk


def _progress(group: dict[str, Any]) -> Progress:
    return Progress(
        node=group["node"],
        state=group["state"],
        told=progress_words(group),
        window=group["parallel"],
        share=int(100 * progress_share(group)),
    )
