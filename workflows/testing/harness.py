"""Runs workflows in process: a virtual clock, and messages in any order, lost or doubled."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from django.contrib.auth.models import AbstractBaseUser

from workflows import clock, contents, services
from workflows.dispatch.inline import Mailbox, use_mailbox
from workflows.errors import DefinitionError
from workflows.models import Run
from workflows.selectors import runs as selectors
from workflows.services.pump import Pump
from workflows.services.sweeping import PATIENCE
from workflows.store import candidates, control, groups, suspensions, sweep
from workflows.testing.crashes import Crashes, at_activity, at_commit, at_step
from workflows.testing.mortal import MortalPump
from workflows.testing.scripts import Answer, Scripts, add_notes, known_calls

#: Where virtual time begins; any fixed moment does.
EPOCH = datetime(2030, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


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
    """An engine in the test's own process and database: the real one, with real rows.

    Use `Harness.open()` as a context manager, in tests that commit and inside Django's TestCase
    alike. The clock is virtual: `engine.clock.moment` is the time, and nothing ever sleeps.
    """

    box: Mailbox
    clock: VirtualClock = field(default_factory=VirtualClock)
    crashes: Crashes = field(init=False, default_factory=Crashes)
    scripts: Scripts = field(init=False, default_factory=Scripts)
    pump: Pump = field(init=False)
    has_lost: bool = field(init=False, default=False)  # messages

    def __post_init__(self) -> None:
        self.pump = MortalPump(self.box, crashes=self.crashes)

    @classmethod
    @contextmanager
    def open(
        cls,
        seed: int | None = None,
        *,
        time: VirtualClock | None = None,
        box: Mailbox | None = None,
    ) -> Iterator[Self]:
        """Take over the dispatcher and the clock of this process inside the block.

        Args:
            seed: take messages in a shuffled order, which the seed decides; in turn if left out.
            time: a clock of another harness to go on with.
            box: what takes the messages, if it is to be another than the one made for the seed.

        Raises:
            AssertionError: at the end, when a crash that was asked for has not happened.
        """
        harness = cls(box or Mailbox(seed), time or VirtualClock())
        contents.forget()  # the last test's: its rows may be gone
        with harness.taking_over():
            yield harness
            if missed := harness.crashes.unhappened():
                named = ", ".join(f"crash_before({words})" for words in missed)
                message = f"It never came to {named}: the test shows nothing of a crash there."
                raise AssertionError(message)

    @contextmanager
    def taking_over(self) -> Iterator[None]:
        """Be the dispatcher and the clock of this process inside the block."""
        with (
            use_mailbox(self.box),
            clock.use_clock(self.clock),
            self.scripts.open(),
            self.crashes.inside(),
        ):
            # An earlier harness on these rows may have come further: time does not go back.
            self.clock.move_to(control.lease_ends("sweep") or EPOCH)
            yield

    def script(self, name: str, *answers: Answer | Callable[..., Any]) -> None:
        """Let answers stand in for an activity, or for a Celery task, until the harness closes.

        Args:
            name: the activity or task, registered or not; `name:node` for one node alone.
            answers: made by `returns` and `fails`; the n-th call takes the n-th, the last repeats.
                Or one function, which is called with the input.

        Raises:
            InputRefusedError: an answer is neither an output nor an error.
        """
        self.scripts.add(name, answers)

    def calls(self, name: str) -> list[dict[str, Any]]:
        """Return the inputs with which a scripted activity was called. Raises LookupError."""
        return known_calls(self.scripts, name)

    def crash_before(
        self,
        step: str | None = None,
        *,
        activity: str | None = None,
        commit: int | None = None,
        times: int = 1,
    ) -> None:
        """Kill the worker before a commit; what was in that transaction is gone.

        Nobody clears up. The thread is free again when the lease of the dead worker is over: let
        time pass (`jump`, `run`, `recover`), and the sweeper sends it again.

        Args:
            step: before the commit of a step at this node: done, failed, fallen asleep, or split.
            activity: when this activity was called, and before its answer is recorded.
            commit: before so many more commits of workers and the sweeper are done.
            times: at the next so many of these commits, one worker after the other.

        Raises:
            TypeError: not exactly one of step, activity and commit was given.
            LookupError: no published workflow has such a node, or calls this activity.
        """
        if sum(given is not None for given in (step, activity, commit)) != 1:
            message = "crash_before takes one of: a step, activity=..., commit=..."
            raise TypeError(message)
        if step is not None:
            self.crashes.planned.append(at_step(step, times))
        elif activity is not None:
            self.crashes.planned.append(at_activity(activity, times))
        elif commit is not None:
            self.crashes.planned.append(at_commit(commit, times))

    def publish(self, definition: Mapping[str, Any] | str) -> services.Published:
        """Publish a definition, given as a document's text or as its value.

        Raises:
            DefinitionError: with every problem, as notes too; scripts come before what needs them.
        """
        text = definition if isinstance(definition, str) else json.dumps(definition)
        try:
            return services.publish(text)
        except DefinitionError as error:
            add_notes(error)
            raise

    def start(self, name: str, data: Mapping[str, Any] | None = None, **options: Any) -> Run:
        """Start a run, without working on it yet."""
        return services.start(name, dict(data or {}), **options).run

    def drain(self) -> None:
        """Work until nothing can move at this moment."""
        self.pump.drain()

    def jump(self, **duration: float) -> None:
        """Let time pass (`hours=2`), and work off what falls due on the way, in its order.

        Raises:
            ValueError: the duration is negative.
        """
        length = timedelta(**duration)
        if length < timedelta():
            given = ", ".join(f"{unit}={count}" for unit, count in duration.items())
            message = f"jump({given}) would go back, and time never does."
            raise ValueError(message)
        self.jump_to(self.clock.moment + length)

    def jump_to(self, moment: datetime) -> None:
        """Let time pass up to `moment`."""
        self.drain()
        while (due := self.next_due()) is not None and due <= moment:
            self.clock.move_to(due)
            self.drain()
        self.clock.move_to(moment)
        self.drain()

    def recover(self) -> None:
        """Let time pass until the leases of crashed workers are over, and others have gone on."""
        self.drain()
        while (due := self._next_lost()) is not None:
            self.jump_to(due)

    def _next_lost(self) -> datetime | None:
        """Return when what a dead worker or a dead sweeper holds is free again."""
        # Else every message under way is in this process, and no look at the rows is needed.
        is_lossy = self.has_lost or bool(self.crashes.happened)
        standing = groups.first_standing() if is_lossy else None
        times = (
            sweep.next_lost(messages=is_lossy),
            control.lease_ends("sweep"),
            standing and standing + PATIENCE + _TICK,
        )
        held = [time for time in times if time is not None and time > self.clock.moment]
        return min(held, default=None)

    def next_due(self, *, overdue: bool = False) -> datetime | None:
        """Return when something will move by itself, if anything will.

        Args:
            overdue: tell also what could move already.
        """
        times = (
            suspensions.next_due(),
            candidates.next_due(),
            sweep.next_ready(),
            sweep.next_deadline(),
            self._next_lost(),
            self.pump.next_message_at(),
        )
        known = [time for time in times if time is not None]
        return min((time for time in known if overdue or time > self.clock.moment), default=None)

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

    def answer(
        self, run: Run, *, by: AbstractBaseUser, node: str | None = None, **answer: Any
    ) -> Any:
        """Answer what a run or a child of it asks a person, and work off what that wakes.

        Args:
            run: the run.
            by: who answers.
            node: where it asks; may be left out while it asks at one node only.
            answer: `data` for a question; `decision`, `comment`, `form` for an approval.
        """
        told = services.answer(run.pk, node=node, answer=answer, by=by)
        self.drain()
        return told

    def lose_messages(self) -> int:
        """Drop every message under way, as a flushed broker does; return how many."""
        self.has_lost = True
        lost = len(self.box.messages) + len(self.pump.later)
        self.box.messages.clear()
        self.pump.later.clear()
        return lost

    def double_messages(self) -> None:
        """Deliver every message under way twice."""
        self.box.messages += list(self.box.messages)


def crash_everywhere(story: Callable[[Harness], None], *, seed: int | None = None) -> int:
    """Tell a story again and again, with one crash each: before its first commit, its second, ...

    Args:
        story: publishes, starts, lets time pass, and asserts. It must hold under every crash, so
            it lets enough time pass for the sweeper (`run`, `jump`), and starts runs anew.
        seed: as of `Harness.open`.

    Returns:
        How many crashes it has survived, one a telling; the last telling is undisturbed.
    """
    time = VirtualClock()
    number = 0
    while True:
        number += 1
        engine = Harness(Mailbox(seed), time)
        engine.crash_before(commit=number)
        with engine.taking_over():
            story(engine)
        if not engine.crashes.happened:
            return number - 1
