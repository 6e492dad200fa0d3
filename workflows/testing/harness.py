"""Runs workflows in process: a virtual clock, and messages in any order, lost or doubled."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from workflows import clock, contents, services
from workflows.dispatch.inline import Mailbox, use_mailbox
from workflows.models import Run
from workflows.selectors import runs as selectors
from workflows.services.pump import Pump
from workflows.store import candidates, suspensions, sweep

#: Where virtual time begins; any fixed moment does.
EPOCH = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class VirtualClock:
    """A clock that stands still until it is moved."""

    moment: datetime = EPOCH

    def __call__(self) -> datetime:
        return self.moment

    def move_to(self, moment: datetime) -> None:
        """Set the time; it never goes back."""
        self.moment = max(self.moment, moment)


@dataclass(slots=True)
class Harness:
    """An engine in the test's own process and database.

    Use `Harness.open()` as a context manager. With a `seed`, messages are taken in a shuffled
    order that the seed decides.
    """

    box: Mailbox
    clock: VirtualClock = field(default_factory=VirtualClock)
    pump: Pump = field(init=False)

    def __post_init__(self) -> None:
        self.pump = Pump(self.box)

    @classmethod
    @contextmanager
    def open(cls, seed: int | None = None) -> Iterator[Self]:
        """Take over the dispatcher and the clock of this process inside the block."""
        harness = cls(Mailbox(seed))
        contents.forget()  # the last test's: its rows may be gone
        with use_mailbox(harness.box), clock.use_clock(harness.clock):
            yield harness

    def publish(self, definition: Mapping[str, Any] | str) -> services.Published:
        """Publish a definition, given as a document's text or as its value."""
        text = definition if isinstance(definition, str) else json.dumps(definition)
        return services.publish(text)

    def start(self, name: str, data: Mapping[str, Any] | None = None, **options: Any) -> Run:
        """Start a run, without working on it yet."""
        return services.start(name, dict(data or {}), **options).run

    def drain(self) -> None:
        """Work until nothing can move at this moment."""
        self.pump.drain()

    def jump(self, **duration: float) -> None:
        """Let time pass (`hours=2`), and work off what falls due on the way, in its order."""
        self.jump_to(self.clock.moment + timedelta(**duration))

    def jump_to(self, moment: datetime) -> None:
        """Let time pass up to `moment`."""
        self.drain()
        while (due := self.next_due()) is not None and due <= moment:
            self.clock.move_to(due)
            self.drain()
        self.clock.move_to(moment)
        self.drain()

    def next_due(self) -> datetime | None:
        """Return when something will move by itself, if anything will."""
        times = (
            suspensions.next_due(),
            candidates.next_due(),
            sweep.next_ready(),
            sweep.next_deadline(),
            self.pump.next_message_at(),
        )
        future = [time for time in times if time is not None and time > self.clock.moment]
        return min(future, default=None)

    def run(self, name: str, data: Mapping[str, Any] | None = None, **options: Any) -> Run:
        """Start a run and let time pass until it is final or nothing moves by itself any more."""
        run = self.start(name, data, **options)
        self.drain()
        while not self.result(run).ended_at and (due := self.next_due()) is not None:
            self.clock.move_to(due)
            self.drain()
        return self.result(run)

    def result(self, run: Run) -> Run:
        """Return the run as it stands in the database."""
        return selectors.run_by_id(run.pk)

    def send(self, event_type: str, **options: Any) -> services.Receipt:
        """Send an event and work off what it wakes."""
        receipt = services.send_event(event_type, **options)
        self.drain()
        return receipt

    def lose_messages(self) -> int:
        """Drop every message under way, as a flushed broker does; return how many."""
        lost = len(self.box.messages) + len(self.pump.later)
        self.box.messages.clear()
        self.pump.later.clear()
        return lost

    def double_messages(self) -> None:
        """Deliver every message under way twice."""
        self.box.messages += list(self.box.messages)
