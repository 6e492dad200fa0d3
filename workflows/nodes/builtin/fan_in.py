"""`fan_in`: joins the threads of a split."""

from pydantic import Field

from workflows.definition.model import StepConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Arrive, Outcome
from workflows.nodes.readings import path_problems


class FanInConfig(StepConfig):
    """What an author writes for a `fan_in`."""

    merge: str = Field(
        "output", description="Path whose changes are merged and kept; empty for none."
    )


class FanIn(Kind[FanInConfig]):
    """Closes the outermost split that it is the common continuation of, exactly once."""

    name = "fan_in"
    Config = FanInConfig
    is_join = True

    def sets(self, config: FanInConfig) -> tuple[str, ...]:
        return (config.merge,) if config.merge else ()

    def check(self, config: FanInConfig) -> list[tuple[str, str]]:
        return path_problems(config.merge, "/merge") if config.merge else []

    def run(self, call: NodeCall[FanInConfig]) -> Outcome:
        return Arrive()
