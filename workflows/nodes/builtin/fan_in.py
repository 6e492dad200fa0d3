"""`fan_in`: joins the threads of a split."""

from typing import Literal

from pydantic import Field

from workflows.definition.fields import WaitFor
from workflows.definition.model import StepConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Arrive, Outcome
from workflows.nodes.readings import path_problems


class FanInConfig(StepConfig):
    """What an author writes for a `fan_in`."""

    merge: str = Field(
        "output", description="Path whose changes are merged and kept; empty for none."
    )
    wait_for: WaitFor = Field(
        "all",
        description="When to go on: `all` branches are over, `any` or a number of them has "
        "arrived, or CEL over `group` (`arrived, failed, expected, live`) is true.",
    )
    rest: Literal["cancel", "absorb"] | None = Field(
        None,
        description="What becomes of branches that were not waited for: they are cancelled (if "
        "left out), or go on, and whatever they do changes nothing behind the join.",
    )


class FanIn(Kind[FanInConfig]):
    """Closes the outermost split that it is the common continuation of, exactly once.

    `wait_for` counts the branches of that split; one that splits again has arrived when all its
    threads have. It is looked at whenever a branch is over.
    """

    name = "fan_in"
    Config = FanInConfig
    is_join = True

    def sets(self, config: FanInConfig) -> tuple[str, ...]:
        return (config.merge,) if config.merge else ()

    def check(self, config: FanInConfig) -> list[tuple[str, str]]:
        problems = path_problems(config.merge, "/merge") if config.merge else []
        if config.rest is not None and config.wait_for == "all":
            problems.append(("/rest", "With `wait_for: all` there is no rest."))
        return problems

    def run(self, call: NodeCall[FanInConfig]) -> Outcome:
        return Arrive()
