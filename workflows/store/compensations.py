"""Finished steps that can be undone: which is next, and which thread is at one."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from workflows.models import NodeExecution, Thread
from workflows.states import THREAD_OVER

_FIELDS = ("id", "node", "thread", "seq", "compensation")


def newest(run_id: UUID, nodes: Sequence[str] | None = None) -> dict[str, Any] | None:
    """Return the newest finished step of a run (of these nodes) that is to be undone, if any.

    The order is that of the history: what followed from something stands behind it there, whatever
    the clocks of the workers say.
    """
    undone = NodeExecution.objects.filter(compensates=OuterRef("pk"))
    steps = NodeExecution.objects.filter(~Exists(undone), run=run_id, compensation__isnull=False)
    if nodes is not None:
        steps = steps.filter(node__in=nodes)
    found: dict[str, Any] | None = steps.order_by("-id").values(*_FIELDS).first()
    return found


def holder(run_id: UUID, nodes: Collection[str], *, but: int) -> Thread | None:
    """Return another live thread that has chosen a step to undo at one of the nodes."""
    there = Thread.objects.filter(run=run_id, node__in=nodes, frames__isnull=False)
    live = there.exclude(state__in=THREAD_OVER).exclude(pk=but).order_by("id")
    fields = ("node", "frames", "state", "seq", "queue", "priority", "wake_at")
    return next((each for each in live.only(*fields) if _has_chosen(each)), None)


def _has_chosen(thread: Thread) -> bool:
    innermost = thread.frames[-1]
    return innermost["node"] == thread.node and bool(innermost["state"].get("step"))
