"""A thread chooses the step that it compensates next, one thread of the run at a time."""

from datetime import datetime, timedelta

from workflows import clock
from workflows.engine.command import Command
from workflows.engine.cursor import Cursor
from workflows.engine.frames import enter, state_at
from workflows.engine.hints import Hint, ThreadReady
from workflows.engine.settlements import advance, message_end, wait_turn
from workflows.models import Thread
from workflows.nodes.outcomes import Compensate
from workflows.states import ThreadState
from workflows.store import compensations, runs, threads
from workflows.store.rows import Settlement

#: After this a thread looks again whether the one that compensates is through.
PAUSE = timedelta(seconds=1)


def choose(cursor: Cursor, asked: Compensate) -> Settlement | Command:
    """Return what chooses; the thread's own steps are written first, for they count too."""
    if cursor.steps:
        cursor.pending = asked
        return advance(cursor)
    return Command(lambda: apply(cursor, asked))


def apply(cursor: Cursor, asked: Compensate) -> list[Hint] | None:
    """Write the choice into the thread's frame, or let it wait; None when the claim was lost.

    Chosen under the run's lock: so two threads never choose the same step, and what is newer is
    undone before what is older, whoever does it.
    """
    claim = cursor.claim
    run = runs.lock_run(claim.run_id)
    if run is None:
        return None
    own = cursor.node.kind.name
    nodes = [node.id for node in cursor.plan.nodes.values() if node.kind.name == own]
    # Asked for before the steps: a holder that is through after this has its step written by then.
    holder = compensations.holder(run.pk, nodes, but=claim.thread_id)
    if holder is not None:
        waiting = wait_turn(cursor, wake_at=_look_again_at(holder), lease_until=None)
        return _let_out(holder) if threads.settle([waiting], None)[0] else None
    step = compensations.newest(run.pk, asked.nodes)
    is_back = state_at(cursor.frames, cursor.node_id) is not None
    outer = cursor.frames[:-1] if is_back else cursor.frames
    inside = enter(outer, cursor.node_id, {**asked.state, "step": step})
    settled, _ = threads.settle([wait_turn(cursor, frames=inside)], None)
    if not settled:
        return None
    return [ThreadReady(claim.thread_id, cursor.seq, claim.queue, claim.priority)]


def _look_again_at(holder: Thread) -> datetime:
    """Return when to ask again: one that waits for another attempt is not through before it."""
    soon = clock.now() + PAUSE
    return max(soon, holder.wake_at) if holder.state == ThreadState.READY else soon


def _let_out(holder: Thread) -> list[Hint]:
    """Let a holder go on that was given back to its group's queue.

    Else it would wait for a place in a window whose places may all be held by threads that wait
    for it. For so long one more than `parallel` may live.
    """
    if holder.state != ThreadState.QUEUED:
        return []
    due = {"wake_at": clock.now(), "lease_until": message_end()}
    if not threads.move(holder.pk, holder.seq, ThreadState.QUEUED, "release", **due):
        return []  # a slot has it
    return [ThreadReady(holder.pk, holder.seq, holder.queue, holder.priority)]
