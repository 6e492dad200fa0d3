"""`fan_in`: joins the threads of a split."""

from pydantic import Field

from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Arrive, Outcome
from workflows.nodes.readings import path_problems
from workflows.nodes.waiting_for import JoinConfig


class FanInConfig(JoinConfig):
    """What an author writes for a `fan_in`."""

    merge: str = Field(
        "output", description="Path whose changes are merged and kept; empty for none."
    )


class FanIn(Kind[FanInConfig]):
    """Closes the outermost split that it is the common continuation of, exactly once.

    `wait_for` counts the branches of that split; one that splits again has arrived when all its
    threads are over and one of them has arrived. It is looked at whenever a branch is over.
    """

    name = "fan_in"
    Config = FanInConfig
    is_join = True

    def sets(self, config: FanInConfig) -> tuple[str, ...]:
        return (config.merge,) if config.merge else ()

    def check(self, config: FanInConfig) -> list[tuple[str, str]]:
        problems = path_problems(config.merge, "/merge") if config.merge else []
        return problems + config.rest_problems()

    def run(self, call: NodeCall[FanInConfig]) -> Outcome:
        return Arrive()
