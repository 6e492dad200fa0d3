"""What needs more than a settlement: something with a transaction of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from workflows.engine.hints import Hint
from workflows.store.rows import Settlement


@dataclass(frozen=True, slots=True)
class Command:
    """Something that needs a transaction of its own; `apply` returns what to say after it.

    It returns None when the claim was lost: then nothing was written. `at_once` does the usual case
    in one statement, and says whether it was one. `settlement` is what `apply` writes of the thread
    itself, when it may stay in hand.
    """

    apply: Callable[[], list[Hint] | None]
    at_once: Callable[[], bool] | None = None
    settlement: Settlement | None = None
