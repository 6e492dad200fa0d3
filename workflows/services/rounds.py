"""One pass over the threads in hand: what has not begun, and what is to be written together."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from workflows.engine.cursor import Cursor
from workflows.engine.hints import Hint
from workflows.store.rows import Claim, Settlement


@dataclass(slots=True)
class Share:
    """What of a round one may write: its worker at the end, or who breaks it up before."""

    unbegun: list[Claim] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    written: list[Settlement] = field(default_factory=list)  # by a transaction of their own
    hints: list[Hint] = field(default_factory=list)

    def let_go_of_written(self) -> None:
        """Settle once more what is written and would stay in hand, so that it can be given up."""
        kept = [item for item in self.written if item.event == "advance"]
        self.written = [item for item in self.written if item.event != "advance"]
        self.settlements += [replace(item, claim=item.continued(), history=()) for item in kept]


class Round:
    """A pass under way. What is taken out of it is nobody else's, whichever thread asks."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.cursors: dict[int, Cursor] = {}
        self._share = Share(list(claims))
        self._lock = threading.Lock()
        self._is_over = False

    def begin(self) -> Claim | None:
        """Take the next claim that nothing was done for; None when there is none left."""
        with self._lock:
            return self._share.unbegun.pop(0) if self._share.unbegun else None

    def add(
        self,
        settlement: Settlement | None = None,
        *,
        written: Settlement | None = None,
        hints: Sequence[Hint] = (),
    ) -> None:
        """Add what a thread leaves: a settlement to write, or one that is written already."""
        with self._lock:
            self._share.settlements += [settlement] if settlement else []
            self._share.written += [written] if written else []
            self._share.hints += hints

    def take_out(self) -> Share:
        """Take all but the thread at work; nothing when the round is over."""
        with self._lock:
            if self._is_over:
                return Share()
            share, self._share = self._share, Share()
            return share

    def end(self) -> Share:
        """End the round and take what is left of it."""
        with self._lock:
            self._is_over = True
            return self._share
