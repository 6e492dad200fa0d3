"""What the parts of a group leave: merged values, the name of a winner, tolerated failures."""

from collections.abc import Iterator
from typing import Any

from workflows.absent import ABSENT
from workflows.compiler.plan import PlanNode
from workflows.context.merge import merge_contributions
from workflows.context.paths import assign, read
from workflows.models import ThreadGroup
from workflows.nodes.outcomes import Items, JSONObject, Racers, Slices
from workflows.nodes.parts import Parts, part_name, parts_from_json
from workflows.nodes.readings import ERRORS
from workflows.states import ThreadState
from workflows.store import groups

Rows = list[tuple[int, str, Any]]  # index, state, contribution

_FINISHED = frozenset({ThreadState.ARRIVED, ThreadState.ENDED})


def gather(
    group: ThreadGroup, split: PlanNode, context: JSONObject
) -> tuple[JSONObject, list[JSONObject]]:
    """Return the context behind a group, and the failures that its parts were allowed.

    Args:
        group: the group, locked.
        split: the node that opened it.
        context: as it was before the split.

    Raises:
        PathError: what the parts leave does not fit there.
    """
    parts = parts_from_json(group.parts)
    is_long = isinstance(parts, Slices | Items)
    if is_long and not group.merge and group.tolerate is None:
        return context, []  # ten thousand rows to no purpose
    rows = groups.contributions(group.pk)
    if group.merge:
        context = _merged(rows, parts, group.merge, base=context, has_join=split.join is not None)
    if isinstance(parts, Racers):
        context = _with_winner(rows, parts, getattr(split.config, "winner", ""), context)
    errors = list(_failures(rows, parts))
    if errors or group.tolerate is not None:
        context = {**context, ERRORS: errors}
    return context, errors


def told(group: ThreadGroup, split: PlanNode, context: JSONObject) -> JSONObject:
    """Return what the history tells of a join: by path what stands behind it where it may set."""
    names = [group.merge or "", getattr(split.config, "winner", "")]
    names += [ERRORS] if group.tolerate is not None else []
    values = {path: read(context, path) for path in names if path}
    return {path: value for path, value in values.items() if value is not ABSENT}


def failures(group: ThreadGroup) -> list[JSONObject]:
    """Return which parts of a group have failed and why, in their order."""
    rows = groups.contributions(group.pk, state=ThreadState.FAILED)
    return list(_failures(rows, parts_from_json(group.parts)))


def first_error(group: ThreadGroup) -> JSONObject:
    """Return the error of the first part of a group that has failed, as it was kept."""
    error: JSONObject = groups.contributions(group.pk, state=ThreadState.FAILED)[0][2]["error"]
    return error


def _merged(rows: Rows, parts: Parts, path: str, *, base: JSONObject, has_join: bool) -> JSONObject:
    if isinstance(parts, Items):
        # One result an item: null for one that has none, or failed and was tolerated.
        return assign(base, path, [(kept or {}).get("value") for _, _, kept in rows])
    values = [
        kept["value"]
        for _, state, kept in rows
        # A branch that did not reach its join is over, and leaves nothing.
        if kept and "value" in kept and (state == ThreadState.ARRIVED or not has_join)
    ]
    merged = merge_contributions(read(base, path), values)
    return base if merged is ABSENT else assign(base, path, merged)


def _with_winner(rows: Rows, parts: Parts, path: str, context: JSONObject) -> JSONObject:
    first = next(idx for idx, state, _ in rows if state in _FINISHED)
    return assign(context, path, part_name(parts, first)["name"]) if path else context


def _failures(rows: Rows, parts: Parts) -> Iterator[JSONObject]:
    for idx, state, kept in rows:
        if state == ThreadState.FAILED:
            error = kept["error"]
            told = {key: error[key] for key in ("code", "message", "node")}
            yield {**part_name(parts, idx), **told}
        elif kept and "errors" in kept:
            # Of a split inside of this branch, which the same join closes.
            yield from kept["errors"]
