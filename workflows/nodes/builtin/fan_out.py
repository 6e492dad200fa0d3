"""`fan_out`: one thread a branch, side by side."""

from pydantic import Field

from workflows.definition.model import StepConfig, Tolerate
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.branches import Branch, branch_ports, branch_problems, connected
from workflows.nodes.outcomes import Branches, Continue, Outcome, Split
from workflows.nodes.readings import tolerated


class FanOutConfig(StepConfig):
    """What an author writes for a `fan_out`; `next` is taken when no branch is connected."""

    branches: tuple[Branch, ...] = Field(
        description="What they make is merged in this order, whoever is first."
    )
    tolerate: Tolerate | None = Field(
        None, description="Branches that may fail; they are listed at `errors` behind the join."
    )


class FanOut(Kind[FanOutConfig]):
    """Splits the thread; a `fan_in` behind all branches joins it and says what is merged.

    When more branches fail than it tolerates, the others are stopped, and the `fan_out` fails.
    """

    name = "fan_out"
    Config = FanOutConfig
    is_split = True

    def ports(self, config: FanOutConfig) -> dict[str, str | None]:
        return {**super().ports(config), **branch_ports(config.branches)}

    def part_ports(self, config: FanOutConfig) -> tuple[str, ...]:
        return tuple(branch_ports(config.branches))

    def check(self, config: FanOutConfig) -> list[tuple[str, str]]:
        problems = config.tolerate.problems() if config.tolerate else []
        return problems + branch_problems(config.branches)

    def run(self, call: NodeCall[FanOutConfig]) -> Outcome:
        starts = connected(call.config.branches, call)
        if not starts:
            return Continue(call.context)
        branches = Branches(tuple(starts), tuple(starts.values()))
        return Split(branches, merge=None, tolerate=tolerated(call.config.tolerate))
