"""Keeps what was compiled, within a bound that counts how large each piece is."""

from typing import Generic, Protocol, TypeVar


class Weighed(Protocol):
    """Something whose size is known, in nodes of expressions."""

    @property
    def weight(self) -> int: ...


T = TypeVar("T", bound=Weighed)


class Cache(Generic[T]):
    """What was made of a text, as long as it is asked for.

    Two generations: a young one that is full becomes the old one, and what is found in the old one
    moves up. A look-up is one look into a dict, without a lock: threads that meet here may make a
    thing twice, but never see half of one.
    """

    __slots__ = ("_most", "_old", "_weight", "_young")

    def __init__(self, most: int) -> None:
        """Make a cache; `most` is the weight of a generation, half of what may be kept."""
        self._most = most
        self._weight = 0
        self._young: dict[str, T] = {}
        self._old: dict[str, T] = {}

    def find(self, source: str) -> T | None:
        """Return what was kept for a text, if it still is."""
        found = self._young.get(source)
        if found is not None:
            return found
        found = self._old.get(source)
        return None if found is None else self.keep(source, found)

    def keep(self, source: str, made: T) -> T:
        """Keep what was made of a text, and return it."""
        if self._weight + made.weight > self._most:
            self._old, self._young, self._weight = self._young, {}, 0
        self._young[source] = made
        self._weight += made.weight
        return made

    def clear(self) -> None:
        """Forget everything."""
        self._old, self._young, self._weight = {}, {}, 0
