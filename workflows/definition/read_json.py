"""Reads JSON with the line and column of every key and value; no recursion, one pass."""

import re
from bisect import bisect_right
from json import JSONDecodeError, JSONDecoder
from typing import Any

from workflows.definition.assemble import Assembler, Place, SyntaxProblemError

_BLANK = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"-?[A-Za-z]+")
_WORDS: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}
_LONGEST_INT = 40  # digits; longer ones are out of range anyway, and slow to convert
_DECODER = JSONDecoder()  # for texts only: it does not tell where the parts of a value stand


def read_json(text: str, target: Assembler) -> None:
    """Feed the one value in `text` into `target`. Raises SyntaxProblemError."""
    _Reader(text, target).read()


class _Reader:
    """The reader's place in the text, and the closing brackets that it still expects."""

    def __init__(self, text: str, target: Assembler) -> None:
        self.text = text
        self.target = target
        self.at = 0
        self.closers: list[str] = []
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def read(self) -> None:
        self._value()
        while self.closers:
            self._after_value()
        if self._peek():
            raise self._error("Something stands behind the end of the document.")

    def _value(self) -> None:
        char, place = self._peek(), self._place()
        if char in ("{", "["):
            self._open(char, place)
        elif char == '"':
            self.target.scalar(self._text(), place)
        else:
            self.target.scalar(self._bare(), place)

    def _open(self, char: str, place: Place) -> None:
        self.at += 1
        self.target.open({} if char == "{" else [], place)
        self.closers.append("}" if char == "{" else "]")
        if self._peek() == self.closers[-1]:
            self._close()
        else:
            self._member()

    def _close(self) -> None:
        self.at += 1
        self.closers.pop()
        self.target.close()

    def _member(self) -> None:
        if self.closers[-1] == "}":
            self._key()
        # Recursion ends at the depth limit; what is open waits on `closers` and `read` goes on.
        self._value()

    def _after_value(self) -> None:
        char = self._peek()
        if char == self.closers[-1]:
            self._close()
        elif char == ",":
            self.at += 1
            self._member()
        else:
            raise self._error(f"Expected ',' or {self.closers[-1]!r} here.")

    def _key(self) -> None:
        if self._peek() != '"':
            raise self._error("Expected a key between double quotes here.")
        place = self._place()
        self.target.key(self._text(), place)
        if self._peek() != ":":
            raise self._error("Expected ':' behind the key.")
        self.at += 1

    def _text(self) -> str:
        try:
            text, self.at = _DECODER.raw_decode(self.text, self.at)
        except JSONDecodeError as error:
            self.at = error.pos
            raise self._error(f"Malformed text: {error.msg}.") from None
        return str(text)

    def _bare(self) -> Any:
        word = _WORD.match(self.text, self.at)
        if word and word.group() in _WORDS:
            self.at = word.end()
            return _WORDS[word.group()]
        number = _NUMBER.match(self.text, self.at)
        if number is None:
            raise self._error(
                "Expected a value here." if self._peek() else "The text ends too soon."
            )
        self.at = number.end()
        whole, fraction, exponent = number.groups()
        if fraction or exponent:
            return float(number.group())
        return int(whole) if len(whole) <= _LONGEST_INT else 2**64

    def _peek(self) -> str:
        blank = _BLANK.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        return self.text[self.at : self.at + 1]

    def _place(self) -> Place:
        line = bisect_right(self.line_starts, self.at)
        return line, self.at - self.line_starts[line - 1] + 1

    def _error(self, message: str) -> SyntaxProblemError:
        return SyntaxProblemError(f"Not JSON: {message}", self._place())
