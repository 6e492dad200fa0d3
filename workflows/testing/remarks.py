"""What the author of a trial should know although nothing is refused: most often a typo."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from workflows.activities import activities
from workflows.compiler.plan import PlanNode
from workflows.definition.assemble import escape
from workflows.definition.fields import marked
from workflows.engine.plans import load_plan
from workflows.errors import InputRefusedError, Problem, suggest
from workflows.models import WorkflowVersion
from workflows.nodes.base import Kind


@dataclass(slots=True)
class Remarks:
    """The warnings of one trial, and which of its stubs were called."""

    called: set[str] = field(default_factory=set)
    listed: list[dict[str, Any]] = field(default_factory=list)

    def add(self, source: str, problems: Iterable[Problem]) -> None:
        """Note warnings of a definition, of the stubs or of the events."""
        self.listed += [{**each.as_dict(), "source": source} for each in problems]

    def look_at_stubs(self, stubs: Collection[str]) -> None:
        """Note the stubs that no node asks for, and those that were never called."""
        idle = [name for name in stubs if name not in self.called]
        self.add("stubs", _idle_stubs(idle, set(stubs)) if idle else ())

    def look_at_answers(self, unused: Mapping[int, str]) -> None:
        """Note the answers that were never used and whose node is none.

        Args:
            unused: by the place in the script, for which node it is.
        """
        nodes = {node.id for node in _nodes()} if unused else set()
        self.add(
            "events",
            (
                Problem(
                    "unknown_node",
                    f"there is no node {node!r}{suggest(node, nodes)}",
                    f"/{index}/answer/node",
                    severity="warning",
                )
                for index, node in sorted(unused.items())
                if node not in nodes
            ),
        )


def _idle_stubs(idle: list[str], stubs: set[str]) -> Iterator[Problem]:
    places = _places()
    names, nodes = {name for name, _ in places}, {node for _, node in places}
    for stub in idle:
        name, _, node = stub.partition(":")
        if name not in names:
            hint = suggest(name, names - stubs) or suggest(name, names)
            yield _warning("unknown_stub", f"no node calls {name!r}{hint}", stub)
        elif node and node not in nodes:
            hint = suggest(node, nodes)
            yield _warning("unknown_stub", f"no node {node!r} calls {name!r}{hint}", stub)
        else:
            yield _warning("unused_stub", f"{stub!r} was never called", stub)


def _warning(code: str, message: str, stub: str) -> Problem:
    return Problem(code, message, f"/{escape(stub)}", severity="warning")


def _places() -> set[tuple[str, str]]:
    """Return (activity or task, node) for all that the published workflows call."""
    found: set[tuple[str, str]] = set()
    for node in _nodes():
        calls = [value for mark, value, _ in marked(node.config) if _is_called(mark.is_a)]
        kind = activities().get(node.kind.name)
        internal = [node.kind.name] if kind is not None and kind.is_internal else []
        found |= {(name, node.id) for name in [*calls, *internal]}
    return found


def _nodes() -> Iterator[PlanNode]:
    """Yield the nodes of all published workflows."""
    for version in WorkflowVersion.objects.values_list("pk", "digest"):
        yield from load_plan(*version).nodes.values()


def _is_called(mark: str) -> bool:
    return mark in ("activity", "task")


def misfits(kind: Kind[Any], answer: Mapping[str, Any], *, at: str) -> list[Problem]:
    """Return a warning for each field that this kind of question leaves aside.

    Raises:
        InputRefusedError: nothing is left of the answer without them.
    """
    if not kind.answer_fields:
        return []
    known = {"node", *kind.answer_fields}
    odd = [name for name, value in answer.items() if name not in known and value is not None]
    left = {name for name in answer if name in kind.answer_fields}
    problems = [
        Problem("answer_field", _odd_words(name, kind), f"/{escape(name)}", severity="warning")
        for name in odd
    ]
    if problems and not left:
        refused = [replace(each, severity="error") for each in problems]
        raise InputRefusedError(problems[0].message, refused)
    return [replace(each, pointer=f"{at}{each.pointer}") for each in problems]


def _odd_words(name: str, kind: Kind[Any]) -> str:
    hint = suggest(name, kind.answer_fields)
    taken = ", ".join(f"`{each}`" for each in kind.answer_fields)
    return f"a node of kind {kind.name!r} is not answered by {name!r}{hint}; it takes {taken}"


def repeated(named: Mapping[str, str | None], own: str) -> list[tuple[str, str]]:
    """Return (source, the one that counts) for each definition whose name another has as well.

    The definition that is tried (`own`) counts, else the first of them.
    """
    counts: dict[str | None, str] = {named[own]: own}
    found = []
    for source, name in named.items():
        if name is not None and counts.setdefault(name, source) != source:
            found.append((source, counts[name]))
    return found
