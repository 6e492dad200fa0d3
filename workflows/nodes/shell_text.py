"""Whether data can get out of its place in the text of a shell command.

`shell_quote` makes one word of a value, as long as the value stands where words stand. Inside of
quotes, of what the shell evaluates again, or of a comment it would not be one.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from workflows.errors import ExpressionError
from workflows.expressions import outer_function, text_parts

_SHELLS = frozenset({"ash", "bash", "busybox", "dash", "ksh", "mksh", "sh", "zsh"})
#: Begin what has rules of its own for quotes; a text with data in it does without them.
_NESTED = ("`", "$(", "${", "$'", '$"', "((", "<<", "[[")


def shell_problems(text: str) -> list[str]:
    """Return why values in this text are not safe; a text without values is."""
    try:
        parts = text_parts(text)
    except ExpressionError:
        return []  # told by the check of expressions
    if all(is_literal for is_literal, _ in parts):
        return []
    return list(dict.fromkeys(_problems(parts)))


def _problems(parts: Sequence[tuple[bool, str]]) -> Iterator[str]:
    quotes = _Quotes()
    for is_literal, part in parts:
        if is_literal:
            yield from (_nested(sign) for sign in _NESTED if sign in part)
            quotes.read(part)
            continue
        around = quotes.around_value()
        if outer_function(part) != "shell_quote":
            yield f"`${{{part}}}` in a shell text must be `${{shell_quote({part.strip()})}}`."
        elif around:
            yield f"`${{{part}}}` stands inside of {around}, where a quoted value is no word."


def shell_scripts(words: Sequence[str]) -> list[int]:
    """Return at which indexes of a command a shell's script stands: behind `sh -c`."""
    found = []
    for at, word in enumerate(words):
        if PurePosixPath(word).name in _SHELLS:
            flags = (i for i in range(at + 1, len(words) - 1) if _is_script_flag(words[i]))
            found += [flag + 1 for flag in list(flags)[:1]]
    return sorted(set(found))


def _is_script_flag(word: str) -> bool:
    return word.startswith("-") and not word.startswith("--") and "c" in word


def _nested(sign: str) -> str:
    return f"A shell text with values in it has no `{sign}`; put it into a script of its own."


class _Quotes:
    """Where a shell is after so much of a text, as far as quotes and comments go."""

    def __init__(self) -> None:
        self._inside = ""
        self._is_escaped = False
        self._before = " "

    def around_value(self) -> str:
        """Return what a value that comes next would stand inside of; nothing if it is a word."""
        self._before = "value"
        return "an escape" if self._is_escaped else self._inside

    def read(self, text: str) -> None:
        """Go on over a piece of the text."""
        for character in text:
            if self._is_escaped:
                self._is_escaped = False
            else:
                self._take(character)
            self._before = character

    def _take(self, character: str) -> None:
        match self._inside, character:
            case ("" | "double quotes", "\\"):
                self._is_escaped = True
            case ("", "'"):
                self._inside = "single quotes"
            case ("", '"'):
                self._inside = "double quotes"
            case ("", "#") if self._before in " \t\n;&|(":
                self._inside = "a comment"
            case ("single quotes", "'") | ("double quotes", '"') | ("a comment", "\n"):
                self._inside = ""
            case _:
                pass
