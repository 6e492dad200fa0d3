"""`wait_for` and `rest`, as everything has them that goes on behind the parts of a split."""

from typing import Literal

from pydantic import Field

from workflows.definition.fields import WaitFor
from workflows.definition.model import StepConfig


class JoinConfig(StepConfig):
    """When to go on behind the parts of a split, and what becomes of the others then."""

    wait_for: WaitFor = Field(
        "all",
        description="When to go on: `all` parts are over, `any` or a number of them has arrived "
        "(of a `batch` or `map`: is done), or CEL over `group` (`arrived, failed, expected, live`) "
        "is true.",
    )
    rest: Literal["cancel", "absorb"] | None = Field(
        None,
        description="What becomes of parts that were not waited for: they are cancelled (if left "
        "out), or go on, and whatever they do changes nothing behind the join.",
    )

    def rest_problems(self) -> list[tuple[str, str]]:
        """Return what is wrong with `rest`, as `Kind.check` answers it."""
        if self.rest is not None and self.wait_for == "all":
            return [("/rest", "With `wait_for: all` there is no rest.")]
        return []
