"""The body of a loop or a lock is its own: entered by its port, left as one thread."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield bodies that are empty, that are jumped into, and branches that come back unjoined."""
    for name, body in draft.bodies.items():
        yield from _empty(draft, name, body)
        yield from _jumps(draft, name, body)
        split = next((each for each in draft.matching.around.get(name, ()) if each in body), None)
        if split is not None:
            owner = draft.graph.nodes[split].made_for or split
            message = (
                f"branches of {owner!r}, in the body of {name!r}, come back to {name!r} one by "
                "one; join them before it"
            )
            yield draft.node_problem("body_unjoined", message, node=draft.by_name[owner])


def _empty(draft: Draft, name: str, body: frozenset[str]) -> Iterator[Problem]:
    for edge in draft.graph.nodes[name].edges:
        if edge.is_body and edge.target == name:
            message = f"the body of {name!r} is {name!r} itself: name the first node of the body"
            yield draft.node_problem("body_empty", message, node=draft.by_name[name])
        elif edge.is_body and edge.target not in body:
            message = (
                f"the body of {name!r} starts at {edge.target!r}, which can also be reached "
                f"after {name!r} or past it: a thread that gets there has left the body"
            )
            yield draft.node_problem("body_empty", message, node=draft.by_name[name])


def _jumps(draft: Draft, name: str, body: frozenset[str]) -> Iterator[Problem]:
    for other in draft.graph.nodes.values():
        if other.id == name or other.id in body:
            continue
        for target in draft.graph.targets(other.id):
            if target in body:
                owner = other.made_for or other.id
                message = (
                    f"{owner!r} leads to {target!r}, which is in the body of {name!r}: "
                    f"a body is entered by {name!r} only"
                )
                yield draft.node_problem("body_entered", message, node=draft.by_name[owner])
