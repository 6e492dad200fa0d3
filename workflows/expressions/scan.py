"""The linear pass over the source that comes before the parser.

The grammar's patterns for texts take time that doubles with every escape when a text does not end,
so the parser never sees a text that an author wrote: texts are found and decoded here, and a dull
text of the same length takes their place.
"""

import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from workflows.expressions.faults import FaultError
from workflows.expressions.limits import MAX_BRACKETS, MAX_SOURCE, MAX_TOKENS, LimitError

_TOKEN = re.compile(
    r"""(?P<space>\s+) | (?P<comment>//[^\n]*)
      | (?P<text>(?P<bytes>[bB])?(?P<raw>[rR])?(?P<quote>\"{3}|'{3}|"|'))
      | (?P<open>[\[({]) | (?P<close>[\])}]) | \w+ | .""",
    re.VERBOSE | re.DOTALL,
)
#: The rest of a text behind its opening quote; (quote, is raw) -> pattern. No two ways to match.
_REST: Final = {
    (quote * count, raw): re.compile(pattern, re.DOTALL)
    for quote in "\"'"
    for count, raw, pattern in (
        (1, False, rf"((?:[^{quote}\\\n\r]|\\[^\n\r])*){quote}"),
        (1, True, rf"([^{quote}\n\r]*){quote}"),
        (3, False, rf"((?:[^{quote}\\]|\\.|{quote}(?!{quote}{quote}))*){quote * 3}"),
        (3, True, rf"(.*?){quote * 3}"),
    )
}
_ESCAPE = re.compile(
    r"\\(?:[xX](?P<hex>[0-9a-fA-F]{2})|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})"
    r"|(?P<octal>[0-3][0-7]{2})|(?P<simple>.))",
    re.DOTALL,
)
_SIMPLE: Final = dict(zip("abfnrtv\\?\"'`", "\a\b\f\n\r\t\v\\?\"'`", strict=True))
_CLOSES: Final = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Scanned:
    """A source that is safe to parse, with its texts by their place in it."""

    source: str
    texts: dict[int, str | bytes]


def check_length(source: str) -> None:
    """Refuse a source that is blank (FaultError) or too long (LimitError)."""
    if len(source) > MAX_SOURCE:
        raise LimitError(f"it has more than {MAX_SOURCE} characters")
    if not source.strip():
        raise FaultError("it is blank", 0)


def scan(source: str) -> Scanned:
    """Check tokens and brackets, and take the texts out.

    Raises:
        FaultError: A text or a bracket does not end, or an escape is unknown.
        LimitError: Too deep, or too many tokens.
    """
    scanner = _Scanner(source, 0)
    scanner.run(until=None)
    return Scanned("".join(scanner.pieces), scanner.texts)


def count_scanned(source: str) -> int:
    """Return how many tokens of a source are looked at before it is parsed, or refused."""
    if len(source) > MAX_SOURCE:
        return 0
    scanner = _Scanner(source, 0)
    with suppress(FaultError, LimitError):
        scanner.run(until=None)
    return scanner.tokens


def find_end(source: str, start: int) -> int:
    """Return the place of the `}` that closes what began at `start`.

    Raises:
        FaultError: There is none.
        LimitError: Too deep, or too many tokens.
    """
    scanner = _Scanner(source, start)
    scanner.run(until="}")
    return scanner.at


class _Scanner:
    """One pass over a source."""

    def __init__(self, source: str, at: int) -> None:
        self.source = source
        self.at = at
        self.pieces: list[str] = []
        self.texts: dict[int, str | bytes] = {}
        self.brackets: list[tuple[str, int]] = []
        self.tokens = 0

    def run(self, *, until: str | None) -> None:
        """Go to the end, or to the closing bracket `until` that closes what began before."""
        for match in iter(self._next, None):
            if until is not None and match["close"] == until and not self.brackets:
                return
            self._take(match)
        if self.brackets:
            bracket, place = self.brackets[-1]
            raise FaultError(f"the bracket {bracket!r} is not closed", place)
        if until is not None:
            raise FaultError(f"there is no {until!r} that ends it", self.at)

    def _next(self) -> re.Match[str] | None:
        return _TOKEN.match(self.source, self.at)

    def _take(self, match: re.Match[str]) -> None:
        self.tokens += match["space"] is None
        if self.tokens > MAX_TOKENS:
            raise LimitError(f"it has more than {MAX_TOKENS} words and signs")
        start, piece, self.at = match.start(), match[0], match.end()
        if match["text"]:
            self.texts[start], self.at = _read_text(self.source, match)
            piece = "'" + "_" * (self.at - start - 2) + "'"
        elif match["comment"]:
            piece = " " * len(piece)
        else:
            self._track(match)
        self.pieces.append(piece)

    def _track(self, match: re.Match[str]) -> None:
        brackets = self.brackets
        if match["open"]:
            brackets.append((match[0], match.start()))
            if len(brackets) > MAX_BRACKETS:
                raise LimitError(f"it has more than {MAX_BRACKETS} brackets inside each other")
        elif match["close"] and (not brackets or _CLOSES[brackets.pop()[0]] != match[0]):
            raise FaultError(f"the bracket {match[0]!r} closes nothing", match.start())


def _read_text(source: str, match: re.Match[str]) -> tuple[str | bytes, int]:
    is_raw = match["raw"] is not None
    rest = _REST[match["quote"], is_raw].match(source, match.end())
    if rest is None:
        raise FaultError("the text is not closed by its quote", match.start())
    return _decode(rest[1], rest.start(1), match=match), rest.end()


def _decode(text: str, at: int, *, match: re.Match[str]) -> str | bytes:
    is_bytes = match["bytes"] is not None
    if is_bytes:
        # One character for each byte, so that an escape can stand for a byte.
        text = text.encode("utf-8", "replace").decode("latin-1")
    if match["raw"] is None:
        text = _ESCAPE.sub(lambda escape: _unescape(escape, at, is_bytes=is_bytes), text)
    if is_bytes:
        return text.encode("latin-1")
    if "\0" in text or not (text.isascii() or _is_encodable(text)):
        raise FaultError("a text must not have NUL characters or lone surrogates", at)
    return text


def _unescape(escape: re.Match[str], at: int, *, is_bytes: bool) -> str:
    digits = escape["hex"] or escape["short"] or escape["long"]
    if escape["octal"]:
        return chr(int(escape["octal"], 8))
    if digits is None and escape["simple"] in _SIMPLE:
        return _SIMPLE[escape["simple"]]
    if digits is None or (is_bytes and not escape["hex"]) or int(digits, 16) > sys.maxunicode:
        raise FaultError("a text has an unknown escape behind a backslash", at + escape.start())
    return chr(int(digits, 16))


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
