"""A group is over: it is joined and its owner goes on, or it fails, and its owner with it."""

from typing import Any
from uuid import UUID

from workflows import clock
from workflows.compiler.plan import PlanNode
from workflows.engine import bounds
from workflows.engine.ending import complete, fail, stop_groups
from workflows.engine.frames import go_to, left_between, locks_in, way_back
from workflows.engine.gathering import failures, first_error, gather, told
from workflows.engine.hints import GroupEnding, Hint, ThreadReady
from workflows.engine.plans import load_plan
from workflows.engine.settlements import contribution, message_end
from workflows.engine.verdicts import is_closed_outside, rule_of, tolerated
from workflows.errors import CeleriacError
from workflows.models import Run, ThreadGroup
from workflows.nodes.outcomes import JSONObject
from workflows.nodes.parts import part_context, parts_from_json
from workflows.states import GroupState, ThreadState
from workflows.store import groups, history, runs, threads
from workflows.store.rows import GroupInfo, HistoryRow, Tally


def look_at(run: Run, group: ThreadGroup, *, has_failed: bool = False) -> list[Hint]:
    """Join or fail a locked group of a locked run if it is time to; no hints when it is not.

    `has_failed` tells that parts may have failed since it was looked at last.
    """
    joining = _Joining(run, group)
    return joining.look(has_failed=has_failed) + joining.left


class _Joining:
    """One look at a group: whether it is over, what is merged, and where the owner goes."""

    def __init__(self, run: Run, group: ThreadGroup) -> None:
        self.run = run
        self.group = group
        self.owner = threads.by_id(group.owner_id)
        info = runs.load_info(group.run_id)
        self.plan = load_plan(info.version_id, info.digest)
        self.split = self.plan.nodes[group.node]
        self.join = self.plan.nodes[self.split.join] if self.split.join else None
        self.here = self.join or self.split  # the node whose step this is
        self.rule = rule_of(self.plan, group.node, group.parts, self.owner.group_id)
        self.context: JSONObject = self.owner.context or {}
        self.errors: list[JSONObject] = []
        self.unjoined = [group.pk]  # the groups whose steps the owner does not know of yet
        self.steps = 0  # that were executed in them
        self.left: list[Hint] = []  # the locks whose bodies the owner has left

    def look(self, *, has_failed: bool) -> list[Hint]:
        group = self.group
        if has_failed:
            failed = groups.count_failed(group.pk)
            if failed > tolerated(group.tolerate, group.expected):
                return self._give_up(self.split, self._too_many_failures(failed))
        if not self.rule.is_watched:
            return self._go_on_merged() if threads.is_group_over(group.pk) else []
        tally = groups.tally(group.pk)
        scope = {**self.context, "run": runs.load_info(self.run.pk).scope, "now": clock.now()}
        try:
            is_time = self.rule.holds(tally, group.expected, scope)
        except CeleriacError as error:
            return self._give_up(self.here, _failure(error.code, error.message, self.here))
        if is_time:
            return self._go_on_merged()
        return [] if tally.live else self._give_up(self.here, self._unsatisfied(tally))

    def _go_on_merged(self) -> list[Hint]:
        groups.close(self.group)
        hints = self._leave_rest()
        self.steps = groups.count_steps(self.unjoined)
        done = self.group.steps_before + self.steps
        is_step = not self._is_outer() and not self._has_no_join()
        if done + is_step > bounds.limit_of(self.plan):
            refused = bounds.too_many(self.plan, self.run.pk, done, at=self.here.id)
            failure = _failure(refused.code, refused.message, self.here)
            return hints + fail(self.run, self.plan, failure)
        try:
            self.context, self.errors = gather(self.group, self.split, self.context)
        except CeleriacError as error:
            failure = _failure(error.code, error.message, self.here)
            return hints + self._fail_at(self.here, failure)
        return hints + self._go_on()

    def _leave_rest(self) -> list[Hint]:
        """Stop what was not waited for, or let it go on without its group."""
        if not self.rule.is_watched:
            return []
        if self.rule.rest == "cancel":
            # What the parts that are over have left behind is no rest of this join.
            return self._stop(groups.inside(self.group.pk, of_standing=True))
        groups.keep_base(self.group, self.context)
        released = threads.release_all(self.group.pk, self.group.parallel)
        return [ThreadReady(one.pk, one.seq, one.queue, one.priority) for one in released]

    def _go_on(self) -> list[Hint]:
        """Move the owner: on behind the join, to a join further out, or to its end."""
        if self._is_outer():
            event = "arrive" if groups.has_arrived(self.group.pk) else "end"
            return self._over(event, came_from=self.split.id)
        back = way_back(self.owner.frames or [])
        if self._has_no_join():
            if back is not None:  # nothing was executed here, and nothing is merged
                return self._go_to(back, self.owner.context or {}, steps=0)
            return self._over("end", came_from=self.here.id)
        self._record(self.here, output=told(self.group, self.split, self.context) or None)
        target = self.here.ports.get("next") or back
        if target is None:
            return self._over("end", came_from=self.here.id)
        return self._go_to(target, self.context)

    def _is_outer(self) -> bool:
        """Tell whether the join also closes a split around this one."""
        return is_closed_outside(self.plan, self.split.id, self.owner.group_id)

    def _has_no_join(self) -> bool:
        return self.join is None and self.group.parts["parts"] == "branches"

    # --- failures ---------------------------------------------------------------------------

    def _too_many_failures(self, failed: int) -> JSONObject:
        """Return the failure of a split: that of its part, unless it had tolerated some."""
        limit = self.group.tolerate
        if limit is None:
            return first_error(self.group)
        allowed = tolerated(limit, self.group.expected)
        message = (
            f"{failed} of {self.group.expected} parts of {self.split.id!r} have failed, and it "
            f"tolerates {allowed}."
        )
        errors = {"errors": failures(self.group)}
        return _failure("too_many_failures", message, self.split, details=errors)

    def _unsatisfied(self, tally: Tally) -> JSONObject:
        """Return the failure of a join that waits for what can no longer come."""
        if self.group.parts["parts"] == "racers":
            message = f"Nobody has won {self.split.id!r}: all {tally.failed} branches failed."
            code = "no_winner"
        else:
            done = f"{tally.arrived} arrived, {tally.ended} ended elsewhere"
            counts = done if self.rule.has_join else f"{tally.ended} done"
            wanted = f"{self.here.id!r} waits for {self.rule.wait_for!r}"
            message = f"{wanted}, and nothing is left: {counts}, {tally.failed} failed."
            code = "join_unsatisfied"
        details = {"errors": failures(self.group)} if tally.failed else None
        return _failure(code, message, self.here, details=details)

    def _give_up(self, node: PlanNode, failure: JSONObject) -> list[Hint]:
        """Stop the rest of the group, and let `node` fail at its owner."""
        groups.close(self.group, "fail")
        hints = self._stop(groups.inside(self.group.pk))
        self.steps = groups.count_steps(self.unjoined)
        return hints + self._fail_at(node, failure)

    def _stop(self, inside: dict[UUID, str]) -> list[Hint]:
        """Cancel what lives in the group and in these groups inside of it."""
        self.unjoined += [each for each, state in inside.items() if state == GroupState.OPEN]
        return stop_groups(self.run, self.plan, [self.group.pk, *inside])

    def _fail_at(self, node: PlanNode, failure: JSONObject) -> list[Hint]:
        """Send the owner to the node's `on_error`; without one it fails, and what is around it."""
        shown = {key: value for key, value in failure.items() if key != "input"}
        self._record(node, "failed", error=shown)
        is_mine = node is self.split or not self._is_outer()
        target = node.ports.get("on_error") if is_mine else None
        if target is not None:
            return self._go_to(target, {**self.context, "error": shown}, came_from=node)
        given = {"error": failure} if self.owner.group_id is not None else None
        self._move("fail", seq=self.group.owner_seq, node=node.id, contribution=given)
        if self.owner.group_id is None:
            return fail(self.run, self.plan, failure)
        outer = groups.lock_group(self.owner.group_id)
        if outer is None:
            return []  # it goes on without this part
        return look_at(self.run, outer, has_failed=True) or [GroupEnding(outer.pk)]

    # --- the owner --------------------------------------------------------------------------

    def _go_to(
        self, node: str, context: JSONObject, *, steps: int = 1, came_from: PlanNode | None = None
    ) -> list[Hint]:
        inside, context = go_to(self.plan, self.owner.frames or [], node, context)
        places = {
            "node": node,
            "came_from": (came_from or self.here).id,
            "frames": inside or None,
        }
        seq = self.group.owner_seq + steps
        self._move("join", seq=seq, context=context, attempt=0, **places)
        return [ThreadReady(self.owner.pk, seq, self.owner.queue)]

    def _over(self, event: str, *, came_from: str) -> list[Hint]:
        """End the owner: as a part of an outer group, or with the run."""
        outer = groups.load_group(self.owner.group_id) if self.owner.group_id else None
        # Without a join, what the part that was over last leaves stands for all of them.
        left = history.last_context(self.group.pk) if self._has_no_join() else None
        context = self.context if left is None else left
        given = self._given_to(outer)
        self._move(event, came_from=came_from, context=context, contribution=given)
        if outer is None:
            return complete(self.run, self.plan, context)
        if not rule_of(self.plan, outer.node, outer.parts, outer.owner_group_id).is_watched:
            return [GroupEnding(outer.id)]
        locked = groups.lock_group(outer.id)
        return (look_at(self.run, locked) or [GroupEnding(outer.id)]) if locked is not None else []

    def _given_to(self, outer: GroupInfo | None) -> JSONObject | None:
        """Return what the owner leaves to the group around it."""
        if outer is None or not outer.is_open:
            return None
        start = part_context(parts_from_json(outer.parts), outer.base, self.owner.idx)
        given = contribution(self.plan, outer, start, self.context, thread_id=self.owner.pk)
        if self.errors and self._is_outer():
            return {**(given or {}), "errors": self.errors}
        return given

    def _move(self, event: str, *, seq: int | None = None, **changes: Any) -> None:
        moved = threads.move(
            self.owner.pk,
            self.group.owner_seq,
            ThreadState.JOINING,
            event,
            seq=self.group.owner_seq + 1 if seq is None else seq,
            wake_at=clock.now(),
            lease_until=message_end() if event == "join" else None,
            joined_steps=self.owner.joined_steps + self.steps,
            **changes,
        )
        if not moved:
            message = f"the owner of group {self.group.pk} does not wait for it"
            raise AssertionError(message)
        kept = changes.get("frames") if event == "join" else None
        self.left += left_between(locks_in(self.owner.frames), kept)

    def _record(self, node: PlanNode, status: str = "completed", **values: Any) -> None:
        now = clock.now()
        begun = self.group.opened_at if node is self.split else now  # a join waits for no worker
        row = HistoryRow(
            seq=self.group.owner_seq,
            attempt=1,
            node=node.id,
            kind=node.kind.name,
            came_from=self.split.id if node is self.join else self.owner.came_from,
            status=status,
            queued_at=begun,
            started_at=begun,
            ended_at=now,
            **values,
        )
        threads.record(self.group.run_id, self.owner.pk, [row])


def _failure(code: str, message: str, node: PlanNode, *, details: Any = None) -> JSONObject:
    failure = {"code": code, "message": message, "node": node.id, "attempt": 1}
    return {**failure, "details": details} if details else failure
