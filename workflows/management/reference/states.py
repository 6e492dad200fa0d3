"""The statuses and the one table of legal transitions, as tables and diagrams."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from workflows import states
from workflows.management.reference import markdown

#: Name, states, edges, and the states in which a row is made.
_MACHINES: tuple[tuple[str, type[StrEnum], states.Edges, tuple[str, ...]], ...] = (
    ("Run", states.RunStatus, states.RUN_EDGES, ("pending",)),
    ("Thread", states.ThreadState, states.THREAD_EDGES, ("ready", "queued")),
    ("Suspension", states.SuspensionState, states.SUSPENSION_EDGES, ("open",)),
    ("Group", states.GroupState, states.GROUP_EDGES, ("open",)),
    ("Lock claim", states.LockState, states.LOCK_EDGES, ("waiting",)),
)
_ABOUT = (
    "A status changes only along an edge of these tables, by compare-and-set, and the database "
    "refuses every other value."
)


def page() -> str:
    """Return the page."""
    parts = [_ABOUT]
    for name, machine, edges, first in _MACHINES:
        rows = [(before, event, after) for (before, event), after in edges.items()]
        parts += [
            f"## {name}",
            markdown.first_line(machine),
            "\n".join(_diagram(machine, edges, first=first)),
            markdown.table(("from", "event", "to"), rows),
        ]
    return markdown.page("States", *parts)


def _diagram(machine: type[StrEnum], edges: states.Edges, *, first: Sequence[str]) -> Iterator[str]:
    """Yield a Mermaid state diagram; states that nothing leaves are final."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    left = {before for before, _ in edges}
    for state in first:
        yield f"    [*] --> {state}"
    for (before, event), after in edges.items():
        yield f"    {before} --> {after}: {event}"
    for state in machine:
        if state not in left:
            yield f"    {state} --> [*]"
    yield "```"
