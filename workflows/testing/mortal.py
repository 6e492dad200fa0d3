"""A worker in the test's own process, which can be killed."""

from dataclasses import dataclass, field

from workflows.services.pump import Pump
from workflows.services.sweeping import Swept
from workflows.testing.crashes import Crashes


@dataclass(slots=True)
class MortalPump(Pump):
    """Takes messages from a mailbox; a crash loses the one in hand, and another worker goes on."""

    crashes: Crashes = field(default_factory=Crashes)

    def step(self) -> bool:
        """Work off one message; False when there is none."""
        was_there = True
        with self.crashes.worker():
            was_there = Pump.step(self)  # not super(): a class with slots is made twice
        return was_there  # noqa: RET504 - a crash leaves it as it was

    def sweep(self) -> Swept | None:
        """Look once for what should have moved; None when a dead sweeper still holds its lease."""
        swept: Swept | None = None
        with self.crashes.sweeper():
            swept = Pump.sweep(self)
        return swept  # noqa: RET504 - a crash leaves it as it was
