"""How many threads to have in hand at once: as many as take about 50 ms, learnt by doing."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from workflows import conf

#: The first may take minutes: nobody should wait behind it.
UNKNOWN = 1
MOST = 500
#: Threads of different runs, each with commits of its own: more would only make each other late.
MOST_BESIDE = 32
_KEPT = 1000
_WEIGHT = 0.3


@dataclass(slots=True)
class Pace:
    """The learnt cost of one kind of thread in this process; 0: not learnt yet."""

    seconds: float = 0.0
    most: int = MOST

    def count(self) -> int:
        """Return how many threads to claim at once."""
        if self.seconds <= 0:
            return min(UNKNOWN, self.most)
        return max(1, min(self.most, int(conf.settings().batch_seconds / self.seconds)))

    def note(self, seconds: float, threads: int) -> None:
        """Learn from a round that took `seconds` for so many threads."""
        if not threads:
            return
        each = max(seconds / threads, 1e-6)
        self.seconds = each if not self.seconds else self.seconds + _WEIGHT * (each - self.seconds)


_paces: OrderedDict[str, Pace] = OrderedDict()


def pace_of(name: str) -> Pace:
    """Return the pace of what `name` stands for (a workflow's node)."""
    pace = _paces.pop(name, None) or Pace()
    _paces[name] = pace
    if len(_paces) > _KEPT:
        _paces.popitem(last=False)
    return pace


class NodePaces:
    """The learnt cost of a workflow's nodes, for lone threads that a worker moves side by side."""

    def __init__(self, workflow: str) -> None:
        self._workflow = workflow

    def note(self, node: str, seconds: float) -> None:
        """Learn from a leg that has begun at a node."""
        self._of(node).note(seconds, 1)

    def room_beside(self, node: str) -> int:
        """Return how many more threads there is room for beside one at a node."""
        return min(self._of(node).count(), MOST_BESIDE) - 1

    def fitting(self, nodes: Sequence[str]) -> int:
        """Return how many of the threads at these nodes can stay in hand: the first of them can."""
        left, count = conf.settings().batch_seconds, 0
        for node in nodes:
            pace = self._of(node)
            left -= pace.seconds or left
            if count and left <= 0:
                break
            count += 1
        return count

    def _of(self, node: str) -> Pace:
        return pace_of(f"{self._workflow}:{node}:alone")


def forget_paces() -> None:
    """Forget what was learnt, for a trial that is to be like the one before."""
    _paces.clear()
