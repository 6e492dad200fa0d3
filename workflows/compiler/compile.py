"""Document -> Plan: every check in one pass over the whole, and every problem in one answer."""

import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from workflows.compiler import passes
from workflows.compiler.draft import COMPENSATE, FAN_OUT, Draft, DraftNode, Refused, can_be_undone
from workflows.compiler.plan import UNDOING, Plan, PlanNode
from workflows.compiler.reading import declared_ports, read_draft, synthetic_id
from workflows.context.values import digest
from workflows.definition.parse import Document
from workflows.errors import DefinitionError, Problem
from workflows.nodes.base import Kind
from workflows.nodes.unreadable import Unreadable, UnreadableConfig

Check = Callable[[Draft], Iterable[Problem]]
Kinds = Mapping[str, Kind[Any]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan, and what its author should know although it is no error."""

    plan: Plan
    warnings: tuple[Problem, ...] = ()


def compile_document(  # noqa: PLR0913 - everything that a document may name
    document: Document,
    *,
    kinds: Kinds,
    activities: Collection[str] | None = None,
    queues: Collection[str] | None = None,
    workflows: Mapping[str, int] | None = None,
    tasks: Collection[str] | None = None,
    refused: Refused | None = None,
) -> Compiled:
    """Check a document and make its plan.

    Args:
        document: from `read_document`; its problems are reported with the others.
        kinds: every kind of node that may be used, by name.
        activities: names of the registered activities; None leaves them unchecked.
        queues: names of the known queues; None leaves them unchecked.
        workflows: the other workflows that it may call, with the number of their newest version;
            None leaves them unchecked.
        tasks: names of the Celery tasks of this code base, of which others are warned of; None
            leaves them unchecked.
        refused: tells of a node what this installation does not allow, as `Kind.check` does; None
            allows everything.

    Raises:
        DefinitionError: with every problem, sorted by line and column.
    """
    draft = read_draft(
        document,
        kinds=kinds,
        activities=activities,
        queues=queues,
        workflows=workflows,
        tasks=tasks,
        refused=refused,
    )
    found = sorted({one for check in _checks() for one in check(draft)}, key=_place)
    errors = [one for one in found if one.severity == "error"]
    if errors:
        warnings = [one for one in found if one.severity != "error"]
        raise DefinitionError(_summary(document.source, errors), errors, warnings)
    return Compiled(_plan(draft), tuple(found))


def calls_in(document: Document, *, kinds: Kinds) -> list[str]:
    """Return the names of the workflows that a document calls, whatever else is wrong with it."""
    draft = read_draft(document, kinds=kinds)
    return list(dict.fromkeys(name for name, _ in _calls(draft)))


def recall_plan(value: Any, *, kinds: Kinds) -> Plan:
    """Return the plan of a document that was checked when it was published.

    What is checked today does not count: a run that sleeps since then goes on as it began. A node
    that cannot be read any more fails when it is reached.

    Raises:
        DefinitionError: not even the fields around the nodes can be read.
    """
    return _plan(read_draft(Document(value, "definition"), kinds=kinds))


@cache
def _checks() -> tuple[Check, ...]:
    names = [info.name for info in pkgutil.iter_modules(passes.__path__)]
    return tuple(import_module(f"{passes.__name__}.{name}").check for name in names)


def _place(problem: Problem) -> tuple[int, int, str, str, str]:
    line, column = problem.line or 0, problem.column or 0
    return line, column, problem.pointer, problem.code, problem.message


def _summary(source: str, errors: list[Problem]) -> str:
    first = errors[0]
    where = f"line {first.line}, column {first.column}" if first.line else first.pointer or "/"
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems, the first"
    return f"{source}: {count} at {where}: {first.message}"


def _plan(draft: Draft) -> Plan:
    if draft.definition is None:  # then there was an error, and nobody gets here
        raise DefinitionError(draft.document.source, list(draft.early))
    nodes: dict[str, PlanNode] = {}
    for node in draft.nodes:
        nodes[node.name] = _plan_node(draft, node)
        if node.next_list:
            nodes[synthetic_id(node)] = _short_fan_out(draft, node)
    if any(can_be_undone(node) for node in draft.nodes):
        nodes[UNDOING] = _undoing(draft)
    return Plan(
        draft.definition,
        nodes,
        start=draft.graph.starts[0],
        digest=digest(draft.document.value),
        calls=tuple(dict.fromkeys(_calls(draft))),
        has_locks=any(node.kind.takes_locks for node in nodes.values()),
    )


def _calls(draft: Draft) -> Iterator[tuple[str, int | None]]:
    """Yield each workflow that a node names, with the version if the node names one too."""
    for field in draft.fields("workflow"):
        yield field.value, getattr(field.node and field.node.config, "version", None)


def _plan_node(draft: Draft, node: DraftNode) -> PlanNode:
    kind, config, ports = node.kind, node.config, _connected(declared_ports(node))
    if kind is None or config is None or not node.is_sound:
        kind, config = Unreadable(), _what_is_left(node)
        ports = _connected({"on_error": ports.get("on_error")})
    return PlanNode(
        node.name,
        kind,
        config=config,
        ports=ports,
        closes=draft.matching.closes.get(node.name),
        join=draft.matching.joins.get(node.name),
        body=draft.bodies.get(node.name, frozenset()),
    )


def _what_is_left(node: DraftNode) -> UnreadableConfig:
    """Return the config of a node that was sound when it was published and is not any more."""
    type_name = node.raw.get("type")
    why = f"there are no nodes of type {type_name!r} any more"
    if node.kind is not None:
        why = "; ".join(mistake.message for mistake in node.reading.mistakes)
    message = f"This code cannot read the node of this version: {why}."
    return UnreadableConfig(id=node.name, type=str(type_name), why=message)


def _short_fan_out(draft: Draft, node: DraftNode) -> PlanNode:
    """Return the fan-out that a list of `next` stands for: a branch for each id, named by it."""
    kind, name = draft.kinds[FAN_OUT], synthetic_id(node)
    branches = [{"name": target, "next": target} for target in node.next_list]
    config = kind.Config.model_validate(
        {"id": "short", "type": FAN_OUT, "title": node.config and node.config.title}
        | {"branches": branches}
    ).model_copy(update={"id": name})  # an id with a dot, so that no author can have it
    ports = _connected(kind.ports(config))
    return PlanNode(name, kind, config=config, ports=ports, join=draft.matching.joins.get(name))


def _undoing(draft: Draft) -> PlanNode:
    """Return the node at which a run undoes all that it has done before it is cancelled."""
    kind = draft.kinds[COMPENSATE]
    config = kind.Config.model_validate({"id": "undo", "type": COMPENSATE, "retry": {}})
    return PlanNode(UNDOING, kind, config=config.model_copy(update={"id": UNDOING}), ports={})


def _connected(ports: Mapping[str, str | None]) -> dict[str, str]:
    return {port: target for port, target in ports.items() if target is not None}
