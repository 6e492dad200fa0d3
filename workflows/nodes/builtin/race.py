"""`race`: the first of its branches to finish wins."""

from pydantic import Field

from workflows.definition.model import StepConfig, Tolerate
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.branches import Branch, branch_ports, branch_problems, connected
from workflows.nodes.outcomes import Continue, Outcome, Racers, Split
from workflows.nodes.readings import path_problems, tolerated


class RaceConfig(StepConfig):
    """What an author writes for a `race`."""

    branches: tuple[Branch, ...] = Field(
        description="Each is over at a node without `next`, or at an `end`."
    )
    merge: str = Field(
        "output", description="Path whose change by the winner is kept; empty for none."
    )
    winner: str = Field(
        "winner", description="Path where the name of the winner is put; empty for nowhere."
    )
    tolerate: Tolerate | None = Field(
        None, description="Branches that may fail while others race on; listed at `errors`."
    )


class Race(Kind[RaceConfig]):
    """Starts all branches; the first to finish wins, and the others are cancelled at that moment.

    For an event or a timer or an approval, whichever comes first. It needs no `fan_in`. A branch
    that fails before somebody has won fails the race, unless it is tolerated.
    """

    name = "race"
    Config = RaceConfig
    is_split = True

    def ports(self, config: RaceConfig) -> dict[str, str | None]:
        return {**super().ports(config), **branch_ports(config.branches)}

    def part_ports(self, config: RaceConfig) -> tuple[str, ...]:
        return tuple(branch_ports(config.branches))

    def sets(self, config: RaceConfig) -> tuple[str, ...]:
        return tuple(path for path in (config.merge, config.winner) if path)

    def check(self, config: RaceConfig) -> list[tuple[str, str]]:
        problems = config.tolerate.problems() if config.tolerate else []
        for name, path in (("/merge", config.merge), ("/winner", config.winner)):
            problems += path_problems(path, name) if path else []
        return problems + branch_problems(config.branches)

    def run(self, call: NodeCall[RaceConfig]) -> Outcome:
        starts = connected(call.config.branches, call)
        if not starts:
            return Continue(call.context)
        racers = Racers(tuple(starts), tuple(starts.values()))
        merge, limit = call.config.merge, tolerated(call.config.tolerate)
        return Split(racers, merge=merge or None, tolerate=limit)
