"""Finds the known name that an author probably meant, without comparing for ever.

A document can have thousands of unknown names, and thousands of known ones for each of them.
"""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

#: Names that are compared for one document: less than half a second.
MOST_COMPARED: Final = 200_000
#: Characters of a name that anybody means.
_LONGEST: Final = 100


class Nearest:
    """The suggestions for one document; when it has been long enough, there are no more."""

    __slots__ = ("_found", "_left")

    def __init__(self) -> None:
        self._left = MOST_COMPARED
        self._found: dict[tuple[str, str], str | None] = {}

    def find(self, what: str, name: str, known: Collection[str]) -> str | None:
        """Return the known name that is nearest, if one is near.

        `what` it is the name of stands for `known`: what was found is remembered by it.
        """
        if (what, name) in self._found:
            return self._found[what, name]
        self._left -= len(known)
        if self._left < 0 or len(name) > _LONGEST:
            return None
        near = next(iter(get_close_matches(name, sorted(known), n=1)), None)
        return self._found.setdefault((what, name), near)

    def suggest(self, what: str, name: str, known: Collection[str]) -> str:
        """Return ' (did you mean ...?)' with the nearest known name, or nothing."""
        near = self.find(what, name, known)
        return f" (did you mean {near!r}?)" if near is not None else ""
