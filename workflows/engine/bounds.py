"""`limits.node_executions`: how many nodes a run may execute, in all of its threads."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from workflows.compiler.plan import Plan
from workflows.nodes.outcomes import Fail
from workflows.store import history
from workflows.store.rows import HistoryRow

CODE = "too_many_nodes"


def limit_of(plan: Plan) -> int:
    """Return how many nodes a run may execute."""
    return plan.definition.limits.node_executions


def too_many(
    plan: Plan, run_id: UUID, done: int, *, at: str, walked: Iterable[HistoryRow] = ()
) -> Fail:
    """Return the failure of a run that has done too much, or would now.

    Args:
        plan: of the run.
        run_id: the run.
        done: how many nodes it has executed.
        at: the node where it was found.
        walked: steps that are not written yet.
    """
    counts = Counter(history.counts_by_node(run_id=run_id))
    counts.update(step.node for step in walked)
    busiest = counts.most_common(1)[0][0] if counts else at
    message = (
        f"The run has executed {done} nodes, and may not execute more than {limit_of(plan)} "
        f"(limits.node_executions); most of them at {busiest!r}, the last at {at!r}."
    )
    return Fail(CODE, message, fatal=True)


def too_wide(plan: Plan, made: int, at: str) -> Fail | None:
    """Return the failure of a run whose splits make more threads than it may execute nodes.

    Threads side by side do not know of each other; so splits that open themselves again and again
    are stopped by what they have in common.
    """
    if made <= limit_of(plan):
        return None
    message = (
        f"With those of {at!r} the splits of the run make {made} threads, and it may not execute "
        f"more than {limit_of(plan)} nodes (limits.node_executions)."
    )
    return Fail(CODE, message, fatal=True)
