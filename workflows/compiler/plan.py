"""A compiled workflow: what the engine runs. Immutable, shared by all threads of a process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.definition.model import Definition, NodeConfig
from workflows.nodes.base import Kind

#: Where a cancelled run undoes what it has done; no id that an author can write.
UNDOING = "cancel.compensate"


@dataclass(frozen=True, slots=True)
class PlanNode:
    """One node, ready to be called."""

    id: str
    kind: Kind[Any]
    config: NodeConfig
    ports: Mapping[str, str]  # connected ports only
    closes: str | None = None  # for a join: the id of the split that it closes
    join: str | None = None  # for a split: the id of the join that closes it
    # For a loop or a lock: the nodes of its body. A thread that gets to any other has left it.
    body: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole workflow; `start` is the id of its start node, `digest` names its content.

    `calls` has the workflows that its nodes start, each with the version that the node demands.
    `has_locks` tells that one of its nodes takes locks.
    """

    definition: Definition
    nodes: Mapping[str, PlanNode]
    start: str
    digest: str
    calls: tuple[tuple[str, int | None], ...] = ()
    has_locks: bool = False
