"""Checks each status change against the table of edges, and remembers which were taken."""

from collections.abc import Callable

from workflows.states import Edges

#: Tests set this to see every edge that is taken: (state before, event, state after).
on_edge: Callable[[str, str, str], None] | None = None


def follow(edges: Edges, state: str, event: str) -> str:
    """Return the state after `event`. Raises LookupError for an edge that is not in the table."""
    after = edges[state, event]
    if on_edge is not None:
        on_edge(state, event, after)
    return after
