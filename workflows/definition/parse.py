"""Reads a definition document: text to plain JSON that knows the line and column of its parts."""

from dataclasses import dataclass, field
from typing import Any

from workflows.definition.assemble import (
    Assembler,
    Place,
    Spot,
    SyntaxProblemError,
    deepest,
)
from workflows.definition.read_json import read_json
from workflows.definition.read_yaml import read_yaml
from workflows.errors import DefinitionError, Problem

MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """A document as plain JSON.

    `problems` holds what reading could pass over: repeated keys, tags, anchors, numbers out of
    range. The compiler reports them together with its own; a document that has some is refused.
    """

    value: Any
    source: str = "<string>"
    problems: tuple[Problem, ...] = ()
    spot: Spot | None = field(default=None, repr=False)

    def locate(self, pointer: str, *, key: bool = False) -> tuple[int, int] | None:
        """Return (line, column), both from 1, of the value at `pointer`, or of its key.

        What is not in the document is located at the nearest object around it. A document that
        was not read from text has no locations: None.
        """
        if self.spot is None:
            return None
        spot, is_exact = deepest(self.spot, pointer)
        return spot.key if key and is_exact else spot.value


def read_document(text: str, *, source: str = "<string>") -> Document:
    """Read YAML 1.2 or JSON (by the ending of `source`, else by the first character).

    Args:
        text: the whole document, at most MAX_BYTES as UTF-8 and 64 levels deep.
        source: what to call the document in messages, for example its file name.

    Raises:
        DefinitionError: the text is no YAML or JSON, too large, or too deep.
    """
    text = text.removeprefix("\ufeff")
    _check_size(text, source)
    target = Assembler()
    try:
        (read_json if _is_json(text, source) else read_yaml)(text, target)
    except SyntaxProblemError as error:
        raise _refusal(error.code, error.message, source, place=error.place) from None
    return Document(target.value, source, tuple(target.problems), target.spot)


def _is_json(text: str, source: str) -> bool:
    ending = source.lower().rpartition(".")[2]
    if ending in ("json", "yaml", "yml"):
        return ending == "json"
    return text.lstrip()[:1] in ("{", "[")


def _check_size(text: str, source: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass")) if len(text) <= MAX_BYTES else len(text)
    if size > MAX_BYTES:
        message = f"The document is larger than {MAX_BYTES:,} bytes."
        raise _refusal("too_large", message, source, place=(1, 1))


def _refusal(code: str, message: str, source: str, *, place: Place) -> DefinitionError:
    line, column = place
    problem = Problem(code, message, "", line, column)
    return DefinitionError(f"{source}, line {line}, column {column}: {message}", [problem])
