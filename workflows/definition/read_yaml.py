"""Reads YAML 1.2 as plain JSON: no tags, no anchors, no aliases, keys are text.

The scalars are resolved here, by the core schema of YAML 1.2, and not by the library: what looks
like a date stays text, and `no`, `on` and `012` are what they look like.
"""

import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from workflows.definition.assemble import Assembler, Place, SyntaxProblemError

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# The library's time for a tag grows with the square of its length.
_LONG_TAG = re.compile(r"!\S{5000}")
_LONGEST_INT = 40  # digits; longer ones are out of range anyway, and slow to convert


def read_yaml(text: str, target: Assembler) -> None:
    """Feed the one document in `text` into `target`. Raises SyntaxProblemError."""
    long_tag = _LONG_TAG.search(text)
    if long_tag:
        place = _place_of(text, long_tag.start())
        raise SyntaxProblemError("Tags are not allowed, least of all long ones.", place)
    documents = 0
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            documents += type(event).__name__ == "DocumentStartEvent"
            if documents > 1:
                raise SyntaxProblemError("One file holds one document.", _place(event.start_mark))
            _feed(event, target)
    except MarkedYAMLError as error:
        raise _translate(error) from None
    except ReaderError as error:
        raise SyntaxProblemError(
            "The text contains a character that YAML does not allow.",
            _place_of(text, error.position),
        ) from None
    except (YAMLError, ValueError, OverflowError, IndexError, AttributeError, TypeError):
        # The scanner lets some plain Python errors out, for example at an impossible escape.
        raise SyntaxProblemError("The text is not YAML.", (1, 1)) from None


def resolve(text: str) -> Any:
    """Return what a plain scalar means in the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) <= _LONGEST_INT else 2**64
    if _BASED.fullmatch(text):
        return int(text, 0) if len(text) <= _LONGEST_INT else 2**64
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _feed(event: Any, target: Assembler) -> None:
    name = type(event).__name__
    if name in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent", "AliasEvent"):
        place = _place(event.start_mark)
        _check_extras(event, target, place)
        if name == "ScalarEvent":
            _scalar(event, target, place)
        elif name == "AliasEvent":
            _simple(None, target, place)
        else:
            _container({} if name == "MappingStartEvent" else [], target, place)
    elif name in ("MappingEndEvent", "SequenceEndEvent"):
        target.close()


def _check_extras(event: Any, target: Assembler, place: Place) -> None:
    if getattr(event, "anchor", None) is not None:
        message = "Anchors (&name) and aliases (*name) are not allowed; write the value out."
        target.refuse("anchor", message, place)
    if getattr(event, "tag", None) is not None:
        target.refuse("tag", f"Tags are not allowed: remove {str(event.tag)[:40]!r}.", place)


def _scalar(event: Any, target: Assembler, place: Place) -> None:
    value = resolve(event.value) if event.style is None else event.value
    _simple(value, target, place)


def _simple(value: Any, target: Assembler, place: Place) -> None:
    if not target.expects_key:
        target.scalar(value, place)
        return
    name = value if isinstance(value, str) else str(value)
    if name is not value:
        target.refuse_key("key_type", "A key must be text; put it between quotes.", name, place)
    target.key(name, place)


def _container(container: dict[str, Any] | list[Any], target: Assembler, place: Place) -> None:
    if target.expects_key:
        raise SyntaxProblemError("A key must be text, not a list or an object.", place)
    target.open(container, place)


def _translate(error: MarkedYAMLError) -> SyntaxProblemError:
    mark = error.problem_mark or error.context_mark
    parts = [str(part) for part in (error.context, error.problem) if part]
    return SyntaxProblemError(f"Not YAML: {', '.join(parts) or 'malformed'}.", _place(mark))


def _place(mark: Any) -> Place:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _place_of(text: str, index: int) -> Place:
    before = text[:index]
    return before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1
