"""Works off the messages of the inline dispatcher: a worker without a broker."""

from dataclasses import dataclass, field
from datetime import datetime

from workflows import clock
from workflows.dispatch.inline import Mailbox, Message, SlotMessage, TaskMessage
from workflows.services.sweeping import sweep_once
from workflows.services.task_calls import run_task_here
from workflows.services.work import Worked, help_group, work_thread


@dataclass(slots=True)
class Pump:
    """Takes messages from a mailbox, one at a time, and does what a worker would."""

    box: Mailbox
    later: list[tuple[datetime, Message]] = field(default_factory=list)

    def step(self) -> bool:
        """Work off one message; False when there is none."""
        self._bring_back()
        message = self.box.take()
        if message is None:
            return False
        worked = _work(message)
        if worked.has_more:
            self.box.add(message)
        if worked.again_at is not None:
            self.later.append((worked.again_at, message))
        return True

    def drain(self) -> int:
        """Work until nothing can move now; return how many messages that took."""
        steps = 0
        while True:
            while self.step():
                steps += 1
            swept = sweep_once()
            if swept is None or (not swept.total and not self.box.messages):
                return steps

    def next_message_at(self) -> datetime | None:
        """Return when the next held-up message comes back."""
        return min((at for at, _ in self.later), default=None)

    def _bring_back(self) -> None:
        now = clock.now()
        for entry in [entry for entry in self.later if entry[0] <= now]:
            self.later.remove(entry)
            self.box.add(entry[1])


def _work(message: Message) -> Worked:
    if isinstance(message, TaskMessage):
        run_task_here(message.call)
        return Worked()
    if isinstance(message, SlotMessage):
        return help_group(message.group_id, queue=message.queue)
    return work_thread(message.thread_id, message.seq, queue=message.queue)
