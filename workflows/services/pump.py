"""Works off the messages of the inline dispatcher: a worker without a broker."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from workflows import clock, conf
from workflows.dispatch.inline import Mailbox, Message, SlotMessage, TaskMessage
from workflows.engine.hints import EventLeft
from workflows.services.after import deliver_left
from workflows.services.sweeping import Swept, move_due, sweep_once
from workflows.services.task_calls import run_task_here
from workflows.services.work import Worked, help_group, work_thread

#: Seconds. What is due at once and held up all the same is not asked again without a pause.
_SHORTEST_REST = 0.01


@dataclass(slots=True)
class Pump:
    """Takes messages from a mailbox, one at a time, and does what a worker would."""

    box: Mailbox
    #: What a limit holds up, and when it comes back.
    later: dict[Message, datetime] = field(default_factory=dict)

    def step(self) -> bool:
        """Work off one message; False when there is none."""
        self._bring_back(clock.now())
        message = self.box.take()
        if message is None:
            return False
        worked = _work(message)
        if worked.has_more:
            self.box.add(message)
        if worked.again_at is not None:
            self.later[message] = worked.again_at
        return True

    def sweep(self) -> Swept | None:
        """Look once for what should have moved; None when another sweeper is at it."""
        return sweep_once()

    def wake(self) -> bool:
        """Move what has become due; tell whether there was anything.

        All that a sweep finds while no message and no worker is lost, for a fraction of its work.
        """
        return move_due(conf.settings().sweep_limit).total > 0

    def drain(self) -> None:
        """Work until nothing can move now.

        What is held up is tried once, for the limits may have changed, and then waits for its time
        or the next call: that the sweeper finds it again, and sends it, is no reason to go on.
        """
        self._bring_back()
        while True:
            while self.step():
                pass
            swept = self.sweep()
            self.box.messages = [each for each in self.box.messages if each not in self.later]
            if swept is None or not (self.box.messages or swept.has_mended):
                return

    def rest(self, seconds: float) -> None:
        """Wait until what is held up comes back, `seconds` at most."""
        at = self.next_message_at()
        if at is not None:
            seconds = min(seconds, max((at - clock.now()).total_seconds(), _SHORTEST_REST))
        threading.Event().wait(seconds)

    def next_message_at(self) -> datetime | None:
        """Return when the next held-up message comes back."""
        return min(self.later.values(), default=None)

    def _bring_back(self, until: datetime | None = None) -> None:
        due = [message for message, at in self.later.items() if until is None or at <= until]
        for message in due:
            del self.later[message]
            self.box.add(message)


def _work(message: Message) -> Worked:
    if isinstance(message, TaskMessage):
        run_task_here(message.call)
        return Worked()
    if isinstance(message, SlotMessage):
        return help_group(message.group_id, queue=message.queue)
    if isinstance(message, EventLeft):
        deliver_left(message.candidate_id)
        return Worked()
    return work_thread(message.thread_id, message.seq, queue=message.queue)
