"""What a node gives a child run, and what it is told of it: its verdict, and why it failed.

A child is told as `{run, workflow, version, status, result, reason, output, error}`.
"""

from collections.abc import Collection, Mapping
from typing import Any

from workflows.nodes.base import NodeCall
from workflows.nodes.mappings import map_targets
from workflows.nodes.outcomes import Fail, JSONObject

_NAME = ("run", "workflow", "version")
_VERDICT = (*_NAME, "status", "result", "reason")
_WHERE = ("run", "workflow")


def input_of(
    call: NodeCall[Any], targets: Mapping[str, Any] | None, optional: Collection[str]
) -> JSONObject | Fail:
    """Return what a child starts with: what is mapped, or all of the context without a mapping."""
    if targets is None:
        return call.context
    given, absent = map_targets({}, targets, call.scope())
    for target in absent:
        if target not in optional:
            message = f"The child's input {target!r} is required, and there is nothing to give it."
            return Fail("input_missing", message)
    return given


def name_of(child: Mapping[str, Any]) -> JSONObject:
    """Return which run it was, for the history."""
    return {key: child[key] for key in _NAME}


def verdict_of(child: Mapping[str, Any]) -> JSONObject:
    """Return how a child has ended, without its output."""
    return {key: child[key] for key in _VERDICT}


def failure_of(child: Mapping[str, Any]) -> Fail | None:
    """Return the failure of a node whose child has failed or was cancelled, None if it was not.

    `details` has `run`, `workflow` and `error` of the child.
    """
    where = {key: child[key] for key in _WHERE}
    if child["status"] == "cancelled":
        why = f": {child['reason']}" if child["reason"] else "."
        message = f"The child run of workflow {child['workflow']!r} was cancelled{why}"
        details = {**where, "error": None}
        return Fail("child_cancelled", message, input=name_of(child), details=details)
    if child["status"] != "failed":
        return None
    error = dict(child["error"])
    inner = error.get("details")
    if isinstance(inner, dict) and {*_WHERE, "error"} <= set(inner):
        # It failed by a child of its own, which has the rest: else the error would grow with depth.
        error["details"] = {key: inner[key] for key in _WHERE}
    details = {**where, "error": error}
    return Fail(error["code"], error["message"], input=name_of(child), details=details)
