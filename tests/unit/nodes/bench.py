"""A node on the bench: its config read as the compiler reads it, its ports as the plan has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workflows.definition.model import NodeConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Outcome
from workflows.nodes.registry import kinds
from workflows.nodes.suspensions import Resolution

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = {"id": "r1", "workflow": "refund", "version": 1, "key": None, "depth": 0, "parent": None}


@dataclass(frozen=True)
class Node:
    kind: Kind[Any]
    config: NodeConfig

    @property
    def ports(self) -> dict[str, str]:
        return {name: node for name, node in self.kind.ports(self.config).items() if node}

    @property
    def problems(self) -> list[tuple[str, str]]:
        return self.kind.check(self.config)

    def call(self, context: Mapping[str, Any]) -> NodeCall[Any]:
        return NodeCall(self.config, dict(context), self.ports, run=RUN, now=NOW)

    def run(self, **context: Any) -> Outcome:
        return self.kind.run(self.call(context))

    def resume(self, resolution: Resolution, **context: Any) -> Outcome:
        return self.kind.resume(self.call(context), resolution)


def node(kind: str, **fields: Any) -> Node:
    """Build a node from what an author writes; `as_` and `for_` stand for the reserved words."""
    found = kinds()[kind]
    written = {name.removesuffix("_"): value for name, value in fields.items()}
    return Node(found, found.Config.model_validate({"id": "it", "type": kind, **written}))
