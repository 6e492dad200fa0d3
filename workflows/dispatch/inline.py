"""Messages without a broker: kept in this process, taken in any order the caller likes."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from workflows.dispatch.task_calls import TaskCall
from workflows.engine.hints import EventLeft, GroupOpened, ThreadReady


@dataclass(frozen=True, slots=True)
class SlotMessage:
    """One part of a group."""

    group_id: UUID
    queue: str


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """A Celery task to run in this process."""

    call: TaskCall


Message = ThreadReady | SlotMessage | TaskMessage | EventLeft


@dataclass(slots=True)
class Mailbox:
    """The messages under way; with a seed they are taken in a shuffled order."""

    seed: int | None = None
    messages: list[Message] = field(default_factory=list)
    _dice: random.Random | None = None

    def add(self, message: Message) -> None:
        """Put a message at the end."""
        self.messages.append(message)

    def take(self) -> Message | None:
        """Take the next message, or one drawn by lot."""
        if not self.messages:
            return None
        if self.seed is None:
            return self.messages.pop(0)
        if self._dice is None:
            self._dice = random.Random(self.seed)  # noqa: S311 - an order of tests, no secret
        return self.messages.pop(self._dice.randrange(len(self.messages)))


_current: list[Mailbox] = []


def is_active() -> bool:
    """Tell whether messages go to a mailbox, whatever the settings say."""
    return bool(_current)


@contextmanager
def use_mailbox(box: Mailbox) -> Iterator[Mailbox]:
    """Send all messages of this process to `box` inside the block.

    Without a mailbox they are dropped: the process that works the rows off finds them there.
    """
    _current.append(box)
    try:
        yield box
    finally:
        _current.remove(box)


def add_threads(ready: Sequence[ThreadReady]) -> None:
    """Add a message for each thread."""
    for hint in ready:
        _add(hint)


def add_deliveries(left: Sequence[EventLeft]) -> None:
    """Add a message for each event that is still to be offered to waits."""
    for hint in left:
        _add(hint)


def add_group(opened: GroupOpened) -> None:
    """Add the slots of a group."""
    for _ in range(opened.slots):
        _add(SlotMessage(opened.group_id, opened.queue))


def add_task(call: TaskCall) -> bool:
    """Add a task; False without a mailbox: whoever works the rows off sends it."""
    _add(TaskMessage(call))
    return is_active()


def _add(message: Message) -> None:
    if _current:
        _current[-1].add(message)
