"""`fan_out`: one thread a branch, side by side."""

from pydantic import Field

from workflows.definition.fields import NodeRef
from workflows.definition.model import Model, StepConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Branches, Continue, Outcome, Split


class Branch(Model):
    """One branch of a fan-out."""

    name: str = Field(min_length=1, max_length=100, description="Unique within the fan-out.")
    next: NodeRef | None = Field(
        None, description="Where its thread starts; without it the branch is ignored."
    )


class FanOutConfig(StepConfig):
    """What an author writes for a `fan_out`; `next` is taken when no branch is connected."""

    branches: tuple[Branch, ...] = Field(
        description="What they make is merged in this order, whoever is first."
    )


class FanOut(Kind[FanOutConfig]):
    """Splits the thread; a `fan_in` behind all branches joins it and says what is merged."""

    name = "fan_out"
    Config = FanOutConfig
    is_split = True

    def ports(self, config: FanOutConfig) -> dict[str, str | None]:
        branches = {_port(branch): branch.next for branch in config.branches}
        return {**super().ports(config), **branches}

    def part_ports(self, config: FanOutConfig) -> tuple[str, ...]:
        return tuple(_port(branch) for branch in config.branches)

    def check(self, config: FanOutConfig) -> list[tuple[str, str]]:
        names = [branch.name for branch in config.branches]
        return [
            (f"/branches/{index}/name", f"Another branch is named {name!r} too.")
            for index, name in enumerate(names)
            if name in names[:index]
        ]

    def run(self, call: NodeCall[FanOutConfig]) -> Outcome:
        connected = [
            (branch.name, call.ports[_port(branch)])
            for branch in call.config.branches
            if _port(branch) in call.ports
        ]
        if not connected:
            return Continue(call.context)
        names, starts = zip(*connected, strict=True)
        return Split(Branches(names, starts), merge=None)


def _port(branch: Branch) -> str:
    return f"branch:{branch.name}"
