"""Every node's type is a known kind."""

from collections.abc import Iterator

from workflows.compiler.draft import FAN_OUT, Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each type that no kind has, with the nearest name."""
    known = set(draft.kinds)
    for node in draft.nodes:
        name = node.raw.get("type")
        if node.kind is None and isinstance(name, str):
            hint = (
                draft.nearest.suggest("kind", name, known)
                or f"; known are: {', '.join(sorted(known))}"
            )
            yield draft.problem(
                "unknown_kind", f"unknown type {name!r}{hint}", at=f"{node.pointer}/type"
            )
        if node.next_list and FAN_OUT not in known:
            message = "a list of ids needs the kind 'fan_out', which is not there"
            yield draft.node_problem("unknown_kind", message, node=node, at="/next")
