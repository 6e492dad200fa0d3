"""The bounds that stop a hostile expression, and the budget that an evaluation spends.

One unit of the budget is about one visited node of an expression, or 32 characters of text that
are copied or compared. Units are counted and not timed, so the same expression over the same data
stops at the same place on every machine; the deadline is only the net below.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

#: Characters of one expression.
MAX_SOURCE: Final = 4096
#: Brackets inside each other.
MAX_BRACKETS: Final = 32
#: Words, numbers, texts and signs of one expression: what the parser's time depends on.
MAX_TOKENS: Final = 1200
#: Nodes of one expression above each other.
MAX_NESTING: Final = 100
#: What looking at one value inside another costs, in units.
VALUE_UNITS: Final = 4
#: What an evaluation costs for itself, in units, beside the nodes of its expression.
EVALUATION_UNITS: Final = 8
#: Units that one evaluation, or all those of one call of a node together, may spend.
MAX_UNITS: Final = 600_000
#: Seconds of processor time (not of the clock: a busy machine must not fail a good expression).
MAX_SECONDS: Final = 0.15
#: Characters of a text, and elements of a list or object, that an expression may build.
MAX_TEXT: Final = 1_000_000
MAX_ITEMS: Final = 100_000
#: A result as a whole: values in it, and levels.
MAX_VALUES: Final = 500_000
MAX_DEPTH: Final = 64
#: Characters of CEL in one template text.
MAX_TEMPLATE_CEL: Final = 8192
#: Tokens that the different expressions of a node, and of a definition, may have together.
MAX_NODE_TOKENS: Final = 6000
MAX_DEFINITION_TOKENS: Final = 50_000
#: Nodes of compiled expressions that a process keeps, at about 300 bytes each, twice over.
MAX_KEPT: Final = 150_000

#: Characters that cost one unit.
TEXT_UNIT: Final = 32
_LOOK_EVERY: Final = 1024


class LimitError(Exception):
    """A bound was met. Not a fault that `||` or `default` could swallow."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Budget:
    """What one evaluation, or all those that belong together, may still spend.

    It belongs to the call that opened it, and so to one thread of the process.
    """

    __slots__ = ("_deadline", "_left", "_look_at", "_of", "_rest")

    def __init__(self, of: str = "") -> None:
        """Open a budget.

        Args:
            of: Whose expressions share it, as in "node 'a'"; nothing for a single expression.
        """
        self._of = of
        self._left = MAX_UNITS
        self._look_at = MAX_UNITS - _LOOK_EVERY
        self._deadline = time.thread_time() + MAX_SECONDS
        self._rest = 0.0

    @property
    def is_used_up(self) -> bool:
        """Whether somebody was stopped by it; so is everybody who comes after."""
        return self._left < 0

    def spend(self, units: int) -> None:
        """Take `units` off. Raises LimitError when nothing is left, or time is up."""
        self._left -= units
        if self._left < self._look_at:
            self.look()

    def look(self) -> None:
        """Look at the clock as well. Raises LimitError when nothing is left, or time is up."""
        if self._left < 0:
            raise self._stopped(f"{MAX_UNITS} steps")
        if time.thread_time() > self._deadline:
            self._left = -1
            raise self._stopped(f"{MAX_SECONDS} s")
        self._look_at = self._left - _LOOK_EVERY

    def pause(self) -> None:
        """Stop its clock, for work that is not the expressions', until `go_on` is called."""
        self._rest = self._deadline - time.thread_time()

    def go_on(self) -> None:
        """Let its clock run again."""
        self._deadline = time.thread_time() + self._rest

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop its clock in the block."""
        self.pause()
        try:
            yield
        finally:
            self.go_on()

    def _stopped(self, limit: str) -> LimitError:
        whose = f"the expressions of {self._of} together" if self._of else "it"
        return LimitError(f"{limit} were not enough for {whose}; work on less data at a time")


def check_text_size(size: int) -> None:
    """Refuse to build a text of `size` characters, before it is built."""
    if size > MAX_TEXT:
        raise LimitError(f"it builds a text of more than {MAX_TEXT} characters")


def check_item_count(count: int) -> None:
    """Refuse to build a list or an object of `count` elements, before it is built."""
    if count > MAX_ITEMS:
        raise LimitError(f"it builds a list or object of more than {MAX_ITEMS} elements")


def weigh(value: Any) -> int:
    """Return the units that reading through `value` costs, looking one level deep."""
    if isinstance(value, str | bytes):
        return len(value) // TEXT_UNIT
    if isinstance(value, list):
        return len(value) + sum(len(item) for item in value if isinstance(item, str)) // TEXT_UNIT
    return len(value) if isinstance(value, dict) else 0
