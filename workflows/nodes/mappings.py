"""Mappings of target paths to templates: what they set, and what is wrong with them."""

from collections.abc import Mapping
from typing import Any

from workflows import expressions
from workflows.absent import ABSENT
from workflows.context.paths import assign
from workflows.definition.assemble import escape
from workflows.nodes.outcomes import JSONObject
from workflows.nodes.readings import path_problems


def target_problems(targets: Mapping[str, Any] | None, pointer: str) -> list[tuple[str, str]]:
    """Return what is wrong with the paths that a mapping sets, as `Kind.check` answers it."""
    return [
        problem
        for target in targets or ()
        for problem in path_problems(target, f"{pointer}/{escape(target)}")
    ]


def map_targets(
    base: JSONObject, targets: Mapping[str, Any], scope: Mapping[str, Any]
) -> tuple[JSONObject, list[str]]:
    """Return `base` with each target path set to its rendered template, and what was left out.

    Left out are the targets whose template is exactly `${path}` of something that is absent.

    Raises:
        PathError: a target cannot be set.
        ExpressionError: an expression failed.
    """
    absent: list[str] = []
    for target, template in targets.items():
        value = expressions.render_entry(template, scope)
        if value is ABSENT:
            absent.append(target)
        else:
            base = assign(base, target, value)
    return base, absent
