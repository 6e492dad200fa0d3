"""Where a run is on its graph: how often each node was done, and which edges were taken."""

from dataclasses import dataclass

from django.db.models import Count

from workflows.models import NodeExecution, Run, Thread
from workflows.states import THREAD_MOVING, ThreadState

Edge = tuple[str, str]
_ASLEEP = (ThreadState.SUSPENDED, ThreadState.JOINING)


@dataclass(slots=True)
class NodeCounts:
    """How many threads did what at one node."""

    done: int = 0
    failed: int = 0
    moving: int = 0
    waiting: int = 0
    broken: int = 0  # threads that ended here with a failure
    cancelled: int = 0  # threads that ended here because nobody waited for them any more

    @property
    def state(self) -> str:
        """Return one word for the whole: the liveliest thing that is true."""
        words = {
            "failed": self.broken,
            "moving": self.moving,
            "waiting": self.waiting,
            "done": self.done,
        }
        last = "failed" if self.failed else "cancelled" if self.cancelled else "untouched"
        return next((word for word, count in words.items() if count), last)


def node_counts(run: Run) -> dict[str, NodeCounts]:
    """Return for each node that a run has come to what happened and happens there."""
    found: dict[str, NodeCounts] = {}
    history = NodeExecution.objects.filter(run=run).order_by()
    for node, status, count in history.values_list("node", "status").annotate(n=Count("id")):
        counts = found.setdefault(node, NodeCounts())
        counts.done += count if status == "completed" else 0
        counts.failed += count if status != "completed" else 0
    threads = Thread.objects.filter(run=run).order_by()
    for node, state, count in threads.values_list("node", "state").annotate(n=Count("id")):
        counts = found.setdefault(node, NodeCounts())
        counts.moving += count if state in THREAD_MOVING else 0
        counts.waiting += count if state in _ASLEEP else 0
        counts.broken += count if state == ThreadState.FAILED else 0
        counts.cancelled += count if state == ThreadState.CANCELLED else 0
    return found


def taken_edges(run: Run) -> set[Edge]:
    """Return the (from, to) pairs of nodes between which any thread has moved."""
    history = NodeExecution.objects.filter(run=run).order_by()
    threads = Thread.objects.filter(run=run).order_by()
    pairs = {
        *history.values_list("came_from", "node").distinct(),
        *threads.values_list("came_from", "node").distinct(),
    }
    return {(source, target) for source, target in pairs if source}
