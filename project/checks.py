"""A system check of the environment: what is misspelt there is not read, and fails nothing."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning, register  # noqa: A004 - its name there

from project.environment import Environment


@register("project")
def check_environment(**_: Any) -> Sequence[CheckMessage]:
    """Warn of variables that are most likely misspelt."""
    return [
        Warning(
            f"The environment sets {name}, which nothing reads (did you mean {near!r}?).",
            hint="Rename it, or take it away.",
            id="project.W001",
        )
        for name, near in sorted(Environment().misspelt("CELERIAC_").items())
    ]
