"""What needs more than a settlement: something with a transaction of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from workflows.engine.hints import Hint


@dataclass(frozen=True, slots=True)
class Command:
    """Something that needs a transaction of its own; `apply` returns what to say after it.

    It returns None when the claim was lost: then nothing was written. `at_once` does the usual case
    in one statement, and says whether it was one.
    """

    apply: Callable[[], list[Hint] | None]
    at_once: Callable[[], bool] | None = None
