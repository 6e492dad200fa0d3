"""When a group is over: what its join waits for, and how many of its parts may fail."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from workflows import expressions
from workflows.compiler.plan import Plan
from workflows.engine.plans import load_plan
from workflows.store import groups, runs
from workflows.store.rows import GroupInfo, JSONObject, Tally


@dataclass(frozen=True, slots=True)
class Rule:
    """What is waited for, and what becomes of the rest.

    Without a join, a part has arrived when it has finished.
    """

    wait_for: int | str = "all"
    rest: str = "cancel"
    has_join: bool = True

    @property
    def is_watched(self) -> bool:
        """Tell whether each end of a part has to be looked at, in its own transaction."""
        return self.wait_for != "all"

    def holds(self, tally: Tally, expected: int, scope: Mapping[str, Any]) -> bool:
        """Tell whether what the join waits for is there. Raises ExpressionError."""
        arrived = tally.arrived + (0 if self.has_join else tally.ended)
        match self.wait_for:
            case "all":
                return tally.live == 0
            case "any":
                return arrived > 0
            case int(count):
                return arrived >= count
            case str(condition):
                counts = {"arrived": arrived, "failed": tally.failed, "live": tally.live}
                group = {**counts, "expected": expected}
                return expressions.evaluate_condition(condition, {**scope, "group": group})


_ALL = Rule()
_RACE = Rule(wait_for="any", has_join=False)


def rule_of(plan: Plan, node: str, parts: JSONObject, outer: UUID | None) -> Rule:
    """Return the rule of a group of the split `node`: its join's, or its own as a batch or map.

    A split that is closed by the join of a split around it waits for all: its owner is one of the
    branches that the join counts. `outer` is the group that its owner is a part of.
    """
    if parts["parts"] == "racers":
        return _RACE
    has_join = parts["parts"] == "branches"
    join = plan.nodes[node].join if has_join else node
    if join is None:
        return _ALL
    config = plan.nodes[join].config
    wait_for = getattr(config, "wait_for", "all")
    if wait_for == "all" or (has_join and is_closed_outside(plan, node, outer)):
        return _ALL
    return Rule(wait_for, getattr(config, "rest", None) or "cancel", has_join)


def is_closed_outside(plan: Plan, node: str, outer: UUID | None) -> bool:
    """Tell whether the join of the split `node` also closes a split around it.

    That may be the same one, when a branch has come back to it.
    """
    join = plan.nodes[node].join
    if join is None or plan.nodes[join].closes != node:
        return join is not None
    return outer is not None and plan.nodes[groups.load_group(outer).node].join == join


def is_watched(group: GroupInfo) -> bool:
    """Tell whether the ends of a group's parts are to be looked at one by one."""
    info = runs.load_info(group.run_id)
    plan = load_plan(info.version_id, info.digest)
    return rule_of(plan, group.node, group.parts, group.owner_group_id).is_watched


def tolerated(tolerate: JSONObject | None, expected: int) -> int:
    """Return how many parts of a group may fail."""
    if tolerate is None:
        return 0
    if "count" in tolerate:
        return int(tolerate["count"])
    # As it is written: 18.4 percent of 375 are 69, by the nearest binary number not quite.
    return int(expected * Fraction(str(tolerate["percent"])) / 100)
