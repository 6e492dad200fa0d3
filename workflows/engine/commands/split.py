"""A thread splits: it sleeps until the group that it opens is over."""

from uuid import uuid4

from workflows import conf
from workflows.engine.bounds import too_wide
from workflows.engine.cursor import Cursor
from workflows.engine.ending import fail
from workflows.engine.hints import GroupOpened, Hint
from workflows.models import Run
from workflows.nodes.outcomes import Branches, Fail, Racers, Split
from workflows.nodes.parts import part_count, part_start, parts_to_json
from workflows.states import ThreadState
from workflows.store import groups, runs, threads


def apply(cursor: Cursor, split: Split) -> list[Hint] | None:
    """Open the group with all its threads queued. None when the claim was lost."""
    # Whoever stops the run must see the threads that are made here, or be seen.
    run = runs.lock_run(cursor.claim.run_id)
    if run is None:
        return None
    parts, count = split.parts, part_count(split.parts)
    refused = too_wide(cursor.plan, run.threads_made + count, cursor.node_id)
    if refused is not None:
        return _refuse(cursor, run, refused)
    if isinstance(parts, Branches):
        # A batch or map is noted as one step when it is over; a fan-out's join is its own node.
        cursor.record(input=split.input)
        cursor.seq += 1
    settled, _ = threads.settle([cursor.settled(ThreadState.JOINING, "split")], None)
    if not settled:
        return None
    runs.add_threads(run, count)
    has_names = isinstance(parts, Branches | Racers)
    parallel = 0 if isinstance(parts, Branches | Racers) else parts.parallel
    queue = split.queue or conf.settings().default_queue
    group = groups.insert_group(
        uuid4(),
        starts=[part_start(parts, index) for index in range(count if has_names else 1)],
        run_id=cursor.claim.run_id,
        owner_id=cursor.claim.thread_id,
        owner_seq=cursor.seq,
        node=cursor.node_id,
        parts=parts_to_json(parts),
        merge=_merge_path(cursor, split),
        queue=queue,
        expected=count,
        parallel=parallel,
        tolerate=split.tolerate,
        steps_before=cursor.executed,
        slots=min(count, parallel or count, conf.settings().slots),
    )
    return [GroupOpened(group.id, queue, group.slots)]


def _refuse(cursor: Cursor, run: Run, refused: Fail) -> list[Hint] | None:
    error = cursor.failure(refused)
    cursor.record("failed", error=error)
    settled, _ = threads.settle([cursor.settled(ThreadState.FAILED, "fail")], None)
    return fail(run, cursor.plan, error) if settled else None


def _merge_path(cursor: Cursor, split: Split) -> str | None:
    """Return where the parts' changes are merged: a fan-out's join says it, a batch itself.

    Branches that nothing joins, in a slice, an item or a racer, work for that one: all threads of
    it count, and not only the one that has split.
    """
    if not isinstance(split.parts, Branches):
        return split.merge or ""
    if cursor.node.join is not None:
        return str(getattr(cursor.plan.nodes[cursor.node.join].config, "merge", ""))
    outer = cursor.group
    return None if outer is None or cursor.plan.nodes[outer.node].join else outer.merge
