"""The last thread of a group is over: its owner goes on, with what the parts leave merged."""

from typing import Any
from uuid import UUID

from workflows import clock
from workflows.absent import ABSENT
from workflows.compiler.plan import Plan, PlanNode
from workflows.context.merge import merge_contributions
from workflows.context.paths import assign, read
from workflows.engine.ending import complete, fail
from workflows.engine.frames import go_to, way_back
from workflows.engine.hints import GroupEnding, Hint, ThreadReady
from workflows.engine.plans import load_plan
from workflows.engine.settlements import contribution, message_end
from workflows.errors import PathError
from workflows.models import Run, ThreadGroup
from workflows.nodes.outcomes import JSONObject
from workflows.nodes.parts import part_context, parts_from_json
from workflows.states import ThreadState
from workflows.store import groups, history, runs, threads
from workflows.store.rows import HistoryRow


def apply(group_id: UUID, run_id: UUID) -> list[Hint]:
    """Join a group if everything in it is over; safe to call at any time, any number of times.

    It trusts the rows only, and asks them under the group's lock: the chord's body, the last
    thread and the sweeper may all call it, and one of them joins.
    """
    # The owner's end may be the run's: the run is locked first, as everywhere.
    run = runs.lock_run(run_id)
    group = groups.lock_group(group_id)
    if run is None or group is None or not threads.is_group_over(group_id):
        return []
    groups.close(group)
    joining = _Join(group, run)
    try:
        joining.merge()
    except PathError as error:
        return joining.fail(error)
    return joining.go_on()


class _Join:
    """One joining: what is merged, and where the owner goes."""

    def __init__(self, group: ThreadGroup, run: Run) -> None:
        self.group = group
        self.run = run
        self.owner = threads.by_id(group.owner_id)
        info = runs.load_info(group.run_id)
        self.plan: Plan = load_plan(info.version_id, info.digest)
        self.split: PlanNode = self.plan.nodes[group.node]
        self.join = self.plan.nodes[self.split.join] if self.split.join else None
        self.here = self.join or self.split  # the node whose step this is
        self.context: JSONObject = self.owner.context or {}

    def merge(self) -> None:
        """Put what the parts leave into the context. Raises PathError where it does not fit."""
        base, path = self.context, self.group.merge
        if not path:
            return
        rows = groups.contributions(self.group.pk)
        if self.group.parts["parts"] == "items":
            values = [kept["value"] if kept else None for _, kept in rows]
            self.context = assign(base, path, values)
            return
        arrived = [kept["value"] for state, kept in rows if kept and self._counts(state)]
        merged = merge_contributions(read(base, path), arrived)
        self.context = base if merged is ABSENT else assign(base, path, merged)

    def fail(self, error: PathError) -> list[Hint]:
        """Send the owner to `on_error`, or fail the run: what cannot be merged never can."""
        failure = {"code": error.code, "message": error.message, "node": self.here.id, "attempt": 1}
        self._record("failed", error=failure)
        target = None if self._is_outer() else self.here.ports.get("on_error")
        if target is not None:
            return self._go_to(target, {**self.context, "error": failure})
        return fail(self.run, self.plan, failure)

    def go_on(self) -> list[Hint]:
        """Move the owner: on behind the join, to a join further out, or to its end."""
        if self._is_outer():
            return self._over("arrive", came_from=self.split.id)
        back = way_back(self.owner.frames or [])
        if self._has_no_join():
            if back is not None:
                return self._go_to(back, self.context, steps=0)  # nothing was executed here
            return self._over("end", came_from=self.here.id)
        value = read(self.context, self.group.merge) if self.group.merge else ABSENT
        self._record(output=None if value is ABSENT else {self.group.merge: value})
        target = self.here.ports.get("next") or back
        if target is None:
            return self._over("end", came_from=self.here.id)
        return self._go_to(target, self.context)

    def _is_outer(self) -> bool:
        """Tell whether the join also closes a split around this one."""
        return self.join is not None and self.join.closes != self.split.id

    def _has_no_join(self) -> bool:
        return self.join is None and self.group.merge is None

    def _go_to(self, node: str, context: JSONObject, steps: int = 1) -> list[Hint]:
        inside, context = go_to(self.plan, self.owner.frames or [], node, context)
        places = {"node": node, "came_from": self.here.id, "frames": inside or None}
        seq = self.group.owner_seq + steps
        self._move("join", seq=seq, context=context, attempt=0, **places)
        return [ThreadReady(self.owner.pk, seq, self.owner.queue)]

    def _counts(self, state: str) -> bool:
        """Tell whether a part's value is merged: a branch's only when it reached the join."""
        return self.join is None or state == ThreadState.ARRIVED

    def _record(self, status: str = "completed", **values: Any) -> None:
        now = clock.now()
        row = HistoryRow(
            seq=self.group.owner_seq,
            attempt=1,
            node=self.here.id,
            kind=self.here.kind.name,
            came_from=self.split.id if self.join else self.owner.came_from,
            status=status,
            queued_at=self.group.opened_at,
            started_at=self.group.opened_at if self.join is None else now,
            ended_at=now,
            **values,
        )
        threads.record(self.group.run_id, self.owner.pk, [row])

    def _move(self, event: str, *, seq: int | None = None, **changes: Any) -> None:
        moved = threads.move(
            self.owner.pk,
            self.group.owner_seq,
            ThreadState.JOINING,
            event,
            seq=self.group.owner_seq + 1 if seq is None else seq,
            wake_at=clock.now(),
            lease_until=message_end() if event == "join" else None,
            **changes,
        )
        if not moved:
            message = f"the owner of group {self.group.pk} does not wait for it"
            raise AssertionError(message)

    def _over(self, event: str, *, came_from: str) -> list[Hint]:
        """End the owner: as a part of an outer group, or with the run."""
        outer = groups.load_group(self.owner.group_id) if self.owner.group_id else None
        given = None
        if outer is not None:
            start = part_context(parts_from_json(outer.parts), outer.base, self.owner.idx)
            given = contribution(self.plan, outer, start, self.context, thread_id=self.owner.pk)
        # Without a join, what the part that was over last leaves stands for all of them.
        left = history.last_context(self.group.pk) if self._has_no_join() else None
        context = self.context if left is None else left
        self._move(event, came_from=came_from, context=context, contribution=given)
        if outer is not None:
            return [GroupEnding(outer.id)]
        return complete(self.run, self.plan, context)
