"""Warns of members that the engine's own objects never have."""

from collections.abc import Iterator, Mapping

from workflows.compiler.draft import Draft, Field
from workflows.errors import Problem
from workflows.expressions import ExpressionInfo

_RUN = frozenset({"id", "workflow", "version", "key", "depth", "started_at", "parent"})
_GROUP = frozenset({"arrived", "failed", "live", "expected"})


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a warning for each member of `run`, and of `group` where it is in scope, that is none.

    No context can hide these names, so what reads such a member cannot but fail.
    """
    for use in draft.uses:
        if not isinstance(use.found, ExpressionInfo):
            continue
        members = _members(use.field)
        for name, member in sorted(use.found.members):
            if name in members and member not in members[name]:
                hint = draft.nearest.suggest("member", member, members[name])
                message = f"{name!r} has no {member!r}{hint}"
                yield draft.field_problem(
                    "unknown_name", message, of=use.field, inside=use.inside, severity="warning"
                )


def _members(field: Field) -> Mapping[str, frozenset[str]]:
    return {"run": _RUN, "group": _GROUP} if "group" in field.mark.names else {"run": _RUN}
