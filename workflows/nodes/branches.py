"""Named branches, as `fan_out` and `race` have them."""

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from workflows.definition.fields import NodeRef
from workflows.definition.model import Model
from workflows.nodes.base import NodeCall


class Branch(Model):
    """One branch."""

    name: str = Field(min_length=1, max_length=100, description="Unique among the branches.")
    next: NodeRef | None = Field(
        None, description="Where its thread starts; without it the branch is ignored."
    )


def branch_ports(branches: Iterable[Branch]) -> dict[str, str | None]:
    """Return the ports of branches and the nodes behind them."""
    return {_port(branch): branch.next for branch in branches}


def branch_problems(branches: Iterable[Branch]) -> list[tuple[str, str]]:
    """Return what is wrong with the names, as `Kind.check` answers it."""
    names = [branch.name for branch in branches]
    return [
        (f"/branches/{index}/name", f"Another branch is named {name!r} too.")
        for index, name in enumerate(names)
        if name in names[:index]
    ]


def connected(branches: Iterable[Branch], call: NodeCall[Any]) -> dict[str, str]:
    """Return the node of each branch that leads somewhere, by name, in the author's order."""
    ports = {branch.name: call.ports.get(_port(branch)) for branch in branches}
    return {name: start for name, start in ports.items() if start is not None}


def _port(branch: Branch) -> str:
    return f"branch:{branch.name}"
