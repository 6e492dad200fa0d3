"""A workflow has exactly one start."""

from collections.abc import Iterator

from workflows.compiler.draft import START, Draft
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem when there is no start, and one for each start after the first."""
    if not draft.nodes:
        return  # the list of nodes itself is refused
    starts = [node for node in draft.nodes if node.guess and node.guess.name == START]
    if not starts:
        message = "there is no node of type 'start'; a workflow has exactly one"
        yield draft.problem("start_missing", message, at="/nodes")
    for node in starts[1:]:
        message = f"a second start; {starts[0].id!r} is one already, and there is exactly one"
        yield draft.node_problem("start_repeated", message, node=node)
