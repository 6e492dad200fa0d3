"""Makes a draft of a document: reads the top, every node by its kind, and the edges."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from pydantic import ConfigDict

from workflows.compiler.bodies import find_bodies
from workflows.compiler.draft import START, Draft, DraftNode, Refused, place_problem
from workflows.compiler.graph import Edge, GraphNode, build_graph
from workflows.compiler.matching import match_joins
from workflows.compiler.nearest import Nearest
from workflows.compiler.salvage import Reading, read_config
from workflows.compiler.uses import uses_of
from workflows.definition.explain import Mistake, describe
from workflows.definition.model import Definition, NodeConfig
from workflows.definition.parse import Document
from workflows.errors import Problem
from workflows.nodes.base import Kind

_MOST_NODES = 2000

Kinds = Mapping[str, Kind[Any]]


class _AnyConfig(NodeConfig):
    """The fields that a node of an unknown kind has for certain."""

    model_config = ConfigDict(extra="allow")


def read_draft(  # noqa: PLR0913 - everything that a document may name
    document: Document,
    *,
    kinds: Kinds,
    activities: Collection[str] | None = None,
    queues: Collection[str] | None = None,
    workflows: Mapping[str, int] | None = None,
    tasks: Collection[str] | None = None,
    refused: Refused | None = None,
) -> Draft:
    """Read a whole document; what is wrong with its fields is in the draft's `early` problems."""
    definition, problems = _read_top(document)
    nodes = tuple(_read_nodes(document.value, kinds))
    by_name = {node.name: node for node in nodes if node.name == node.id}
    nearest = Nearest()
    shapes = [shape for node in nodes for shape in _shapes(node, by_name, nearest)]
    starts = [node.name for node in nodes if node.is_a(START)]
    assumed = [node.name for node in nodes if node.name != node.id]
    graph = build_graph(shapes, starts, assumed)
    draft = Draft(
        document,
        definition,
        nodes,
        kinds=kinds,
        graph=graph,
        matching=match_joins(graph),
        bodies=find_bodies(graph),
        early=tuple(problems),
        activities=activities,
        queues=queues,
        workflows=workflows,
        tasks=tasks,
        refused=refused,
        by_name=by_name,
        nearest=nearest,
    )
    return replace(draft, uses=uses_of(draft))


def _read_top(document: Document) -> tuple[Definition | None, list[Problem]]:
    if isinstance(document.value, dict):
        reading = read_config(Definition, document.value)
        definition, mistakes = reading.config, reading.mistakes
    else:
        message = f"a definition is an object, not {describe(document.value)}"
        definition, mistakes = None, (Mistake("wrong_type", message, ()),)
    problems = [
        place_problem(document, one.code, one.message, at=one.pointer, at_key=one.at_key)
        for one in mistakes
    ]
    return definition, problems


def _read_nodes(value: Any, kinds: Kinds) -> Iterator[DraftNode]:
    raws = value.get("nodes") if isinstance(value, dict) else None
    if not isinstance(raws, list) or len(raws) > _MOST_NODES:
        return
    taken: set[str] = set()
    for index, raw in enumerate(raws):
        if isinstance(raw, dict):
            node = _read_node(index, raw, kinds, taken=taken)
            taken.add(node.name)
            yield node


def _read_node(
    index: int, raw: Mapping[str, Any], kinds: Kinds, *, taken: Collection[str]
) -> DraftNode:
    name, type_name = raw.get("id"), raw.get("type")
    kind = kinds.get(type_name) if isinstance(type_name, str) else None
    guess = kind or _nearest_kind(type_name, kinds)
    reading = read_config(kind.Config if kind else _AnyConfig, raw)
    if kind is None and guess is not None:
        # Only the edges of the kind that was probably meant; its mistakes would be a guess too.
        reading = Reading(read_config(guess.Config, raw).config, reading.mistakes)
    is_usable = isinstance(name, str) and name not in taken
    unique = name if is_usable and isinstance(name, str) else f"#{index}"
    return DraftNode(unique, f"/nodes/{index}", raw, kind=kind, guess=guess, reading=reading)


def _nearest_kind(name: Any, kinds: Kinds) -> Kind[Any] | None:
    near = get_close_matches(name, sorted(kinds), n=1) if isinstance(name, str) else []
    return kinds[near[0]] if near else None


def _shapes(
    node: DraftNode, known: Mapping[str, DraftNode], nearest: Nearest
) -> Iterator[GraphNode]:
    kind, ways = node.guess, tuple(_edges(node, known, nearest))
    is_fan_out = any(edge.is_part for edge in ways) and not _merges_itself(kind)
    yield GraphNode(
        node.name,
        ways,
        is_split=kind is not None and kind.is_split,
        is_join=kind is not None and kind.is_join,
        is_bounded=kind is None or kind.is_bounded,
        merges_itself=_merges_itself(kind),
        is_open=not is_fan_out and declared_ports(node).get("next", "") is None,
    )
    if node.next_list:
        found = (_target(name, known, nearest) for name in node.next_list)
        targets = [target for target in found if target is not None]
        edges = tuple(Edge(f"branch:{target}", target, is_part=True) for target in targets)
        yield GraphNode(synthetic_id(node), edges, is_split=True, made_for=node.name)


def _merges_itself(kind: Kind[Any] | None) -> bool:
    """Tell whether a split is its own join: it says what is merged; a fan-out leaves that out."""
    return kind is not None and kind.is_split and "merge" in kind.Config.model_fields


def synthetic_id(node: DraftNode) -> str:
    """Return the id of the fan-out that stands for the node's list of `next`; no author's id."""
    return f"{node.name}.next"


def declared_ports(node: DraftNode) -> dict[str, str | None]:
    """Return the node's ports and where they lead, as written; nothing if they cannot be read."""
    if node.guess is None or node.reading.config is None:
        return {}
    try:
        ports = dict(node.guess.ports(node.reading.config))
    except (TypeError, AttributeError, ValueError):
        return {}  # the kind stumbles over a field that had to be left out
    if node.next_list:
        ports["next"] = synthetic_id(node)
    return ports


def _part_ports(node: DraftNode) -> tuple[str, ...]:
    if node.guess is None or node.reading.config is None:
        return ()
    try:
        return tuple(node.guess.part_ports(node.reading.config))
    except (TypeError, AttributeError, ValueError):
        return ()


def _edges(node: DraftNode, known: Mapping[str, DraftNode], nearest: Nearest) -> Iterator[Edge]:
    ports, parts = declared_ports(node), _part_ports(node)
    bodies = node.guess.body_ports if node.guess is not None else ()
    found: set[str] = set()
    for port, name in ports.items():
        target = name if node.next_list and port == "next" else _target(name, known, nearest)
        if target is not None:
            found.add(target)
            yield Edge(port, target, is_part=port in parts, is_body=port in bodies)
    if node.is_sound:
        return
    # Fields that could not be read may hold edges: every id that is written in the node counts.
    is_split = node.guess is not None and node.guess.is_split
    is_part = is_split and not (parts and _merges_itself(node.guess))
    for name in _texts({key: node.raw[key] for key in node.raw if key not in ("id", "type")}):
        if name in known and name not in found and name != node.name:
            found.add(name)
            yield Edge(f"?{name}", name, is_part=is_part)


def _target(name: str | None, known: Mapping[str, DraftNode], nearest: Nearest) -> str | None:
    """Return the node that a port means: the nearest one when the id is unknown."""
    if name is None or name in known:
        return name
    return nearest.find("node", name, known)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
