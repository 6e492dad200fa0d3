"""Builds a plain JSON value from a stream of parts, and remembers where each part stood."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflows.errors import Problem

MAX_DEPTH = 64
#: Values; more of them take seconds to read, however few bytes they are.
MAX_PARTS = 100_000
_FORBIDDEN = re.compile("[\0\ud800-\udfff]")
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1

Place = tuple[int, int]  # line, column: both from 1


@dataclass(slots=True)
class Spot:
    """Where one value stands, where its key stands, and the spots of what is in it."""

    value: Place
    key: Place
    children: dict[str, "Spot"] = field(default_factory=dict)


class SyntaxProblemError(Exception):
    """The text is not YAML, or not JSON, or beyond a limit; `place` is where reading stopped."""

    def __init__(self, message: str, place: Place, *, code: str = "syntax") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.code = code


@dataclass(slots=True)
class _Frame:
    container: dict[str, Any] | list[Any]
    spot: Spot
    pointer: str
    key: str | None = None
    key_place: Place = (1, 1)


class Assembler:
    """Receives the parts of a document in order; afterwards `value`, `spot` and `problems` hold it.

    What can be told and passed over (a repeated key, a number out of range) becomes a problem, so
    that the rest of the document is still checked in the same answer.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self.spot = Spot((1, 1), (1, 1))
        self.problems: list[Problem] = []
        self._stack: list[_Frame] = []
        self._parts = 0

    @property
    def expects_key(self) -> bool:
        """Tell whether the next part is the key of an object's member."""
        frame = self._stack[-1] if self._stack else None
        return frame is not None and isinstance(frame.container, dict) and frame.key is None

    def refuse(self, code: str, message: str, place: Place) -> None:
        """Keep a problem with the part that comes next, and go on."""
        self.problems.append(Problem(code, message, self._next_pointer(), *place))

    def refuse_key(self, code: str, message: str, key: str, place: Place) -> None:
        """Keep a problem with the key of the next member, and go on."""
        pointer = f"{self._stack[-1].pointer}/{escape(key)}"
        self.problems.append(Problem(code, message, pointer, *place))

    def key(self, text: str, place: Place) -> None:
        """Take the key of the next member; a key that was there before is a problem."""
        frame = self._stack[-1]
        text = self._clean(text, place)
        if text in frame.container:
            first = frame.spot.children[text].key[0]
            message = f"The key {text!r} is given twice; it first stands in line {first}."
            self.refuse_key("duplicate_key", message, text, place)
        frame.key, frame.key_place = text, place

    def scalar(self, value: Any, place: Place) -> None:
        """Take null, a boolean, a number or text."""
        if isinstance(value, str):
            value = self._clean(value, place)
        elif isinstance(value, float) and not math.isfinite(value):
            self.refuse("not_finite", "Numbers must be finite: no NaN, no infinity.", place)
            value = 0.0
        elif isinstance(value, int) and not _INT_MIN <= value <= _INT_MAX:
            self.refuse("int_range", "A whole number must fit into 64 bits.", place)
            value = 0
        self._put(value, place)

    def open(self, container: dict[str, Any] | list[Any], place: Place) -> None:
        """Begin an object or a list. Raises SyntaxProblemError when that is too deep."""
        if len(self._stack) >= MAX_DEPTH:
            message = f"The document nests deeper than {MAX_DEPTH} levels."
            raise SyntaxProblemError(message, place, code="too_deep")
        pointer = self._next_pointer()
        spot = self._put(container, place)
        self._stack.append(_Frame(container, spot, pointer))

    def close(self) -> None:
        """End the innermost object or list."""
        self._stack.pop()

    def _put(self, value: Any, place: Place) -> Spot:
        self._parts += 1
        if self._parts > MAX_PARTS:
            message = f"The document has more than {MAX_PARTS:,} values."
            raise SyntaxProblemError(message, place, code="too_large")
        if not self._stack:
            self.value, self.spot = value, Spot(place, place)
            return self.spot
        frame = self._stack[-1]
        if isinstance(frame.container, list):
            name, spot = str(len(frame.container)), Spot(place, place)
            frame.container.append(value)
        else:
            name, spot = frame.key or "", Spot(place, frame.key_place)
            frame.container[name] = value
            frame.key = None
        frame.spot.children[name] = spot
        return spot

    def _next_pointer(self) -> str:
        if not self._stack:
            return ""
        frame = self._stack[-1]
        if isinstance(frame.container, list):
            return f"{frame.pointer}/{len(frame.container)}"
        return frame.pointer if frame.key is None else f"{frame.pointer}/{escape(frame.key)}"

    def _clean(self, text: str, place: Place) -> str:
        found = _FORBIDDEN.search(text)
        if found is None:
            return text
        what = "the character NUL" if found.group() == "\0" else "half of a surrogate pair"
        self.refuse("character", f"Text must not contain {what}.", place)
        return _FORBIDDEN.sub("\ufffd", text)


def escape(part: str) -> str:
    """Return `part` as one step of a JSON pointer."""
    return part.replace("~", "~0").replace("/", "~1")


def unescape(part: str) -> str:
    """Return the key that one step of a JSON pointer stands for."""
    return part.replace("~1", "/").replace("~0", "~")


def steps(pointer: str) -> list[str]:
    """Return the keys and indexes that lead to the end of a JSON pointer."""
    return [unescape(part) for part in pointer.split("/")[1:]]


def deepest(spot: Spot, pointer: str) -> tuple[Spot, bool]:
    """Return the spot at `pointer`, or of the nearest thing around it; and whether it is exact."""
    for step in steps(pointer):
        children: Mapping[str, Spot] = spot.children
        if step not in children:
            return spot, False
        spot = children[step]
    return spot, True
