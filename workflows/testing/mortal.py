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
        with self.crashes.worker():
            return Pump.step(self)  # not super(): a class with slots is made twice
        return True

    def sweep(self) -> Swept | None:
        """Look once for what should have moved; None when a dead sweeper still holds its lease."""
        with self.crashes.sweeper():
            return Pump.sweep(self)
        return None
