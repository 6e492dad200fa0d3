"""Context paths: `order.total`, `items[2].price`, `row."Unit price"`.

Contexts are shared between threads and never changed: `assign` and `delete` return a new one that
shares with the old everything that is off the path.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from workflows.absent import ABSENT, Absent
from workflows.errors import PathError

Part = str | int

MAX_LENGTH: Final = 1024

_PART = re.compile(
    r"""(?P<dot>\.)?(?:(?P<name>[^\W\d]\w*)|(?P<quoted>"(?:[^"\\]|\\.)*"))
      | \[(?P<index>\d{1,9})\]""",
    re.VERBOSE,
)
_NAME = re.compile(r"[^\W\d]\w*")


@lru_cache(maxsize=4096)
def parse_path(text: str) -> tuple[Part, ...]:
    """Return the keys (text) and list indexes (int) that a path leads through.

    Raises:
        PathError: The path is blank or malformed; says what is wrong and at which column.
    """
    if not text or text.isspace():
        raise PathError("a path must not be blank; write for example order.total")
    if len(text) > MAX_LENGTH:
        raise PathError(f"a path has at most {MAX_LENGTH} characters, this one {len(text)}")
    parts: list[Part] = []
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None or not _fits(match, is_first=not parts):
            raise _malformed(text, at)
        parts.append(_part(match, text))
        at = match.end()
    return tuple(parts)


def format_path(parts: tuple[Part, ...]) -> str:
    """Return the text of a path: what `parse_path` takes apart."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _NAME.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{name}" if text else name
    return text


def read(context: Any, path: str) -> Any | Absent:
    """Return what stands at `path`, or ABSENT; data never makes it raise.

    Raises:
        PathError: The path itself is blank or malformed.
    """
    here = context
    for part in parse_path(path):
        here = _step(here, part)
        if here is ABSENT:
            break
    return here


def assign(context: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a context in which `value` stands at `path`; the old one is left as it was.

    Missing objects on the way are created. A list is never created or extended.

    Raises:
        PathError: Malformed path, a scalar in the middle, or a list index that does not exist.
    """
    parts = parse_path(path)
    if isinstance(parts[0], int):
        raise PathError(f"the path {path!r} cannot be set: a context is an object, not a list")
    changed = dict(context)
    here: Any = changed
    for depth, part in enumerate(parts[:-1]):
        _refuse_misfit(here, part, path, parts[:depth])
        child = _child_to_enter(here, part, parts, depth, path)
        here[part] = child
        here = child
    _refuse_misfit(here, parts[-1], path, parts[:-1])
    here[parts[-1]] = value
    return changed


def delete(context: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return a context without `path`; deleting what is not there changes nothing.

    A list closes the gap when one of its elements is deleted.
    """
    parts = parse_path(path)
    changed = dict(context)
    if read(context, path) is ABSENT:
        return changed
    here: Any = changed
    for part in parts[:-1]:
        child = here[part]
        here[part] = list(child) if isinstance(child, list) else dict(child)
        here = here[part]
    del here[parts[-1]]
    return changed


def _fits(match: re.Match[str], *, is_first: bool) -> bool:
    if match["index"] is not None:
        return not is_first
    return (match["dot"] is None) == is_first


def _part(match: re.Match[str], text: str) -> Part:
    if match["index"] is not None:
        return int(match["index"])
    if match["name"] is not None:
        return match["name"]
    try:
        return str(json.loads(match["quoted"]))
    except ValueError:
        raise _malformed(text, match.start("quoted")) from None


def _malformed(text: str, at: int) -> PathError:
    message = (
        f"the path {text!r} is malformed at column {at + 1}: write names joined by dots, a list "
        'index as [2], and a key that is no identifier in double quotes, as in row."Unit price"'
    )
    return PathError(message, column=at + 1)


def _step(here: Any, part: Part) -> Any | Absent:
    if isinstance(part, str):
        return here.get(part, ABSENT) if isinstance(here, dict) else ABSENT
    if isinstance(here, list) and part < len(here):
        return here[part]
    return ABSENT


def _child_to_enter(here: Any, part: Part, parts: tuple[Part, ...], depth: int, path: str) -> Any:
    """Return a fresh copy of the child on the way, or a new object where there is none."""
    child = _step(here, part)
    if child is ABSENT:
        if isinstance(parts[depth + 1], int):
            missing = format_path(parts[: depth + 1])
            raise PathError(
                f"{path!r} cannot be set: there is no list at {missing!r}; set it first"
            )
        return {}
    if isinstance(child, dict):
        return dict(child)
    return list(child) if isinstance(child, list) else child


def _refuse_misfit(here: Any, part: Part, path: str, before: tuple[Part, ...]) -> None:
    where = format_path(before) or "the context"
    if isinstance(part, str):
        if not isinstance(here, dict):
            raise PathError(f"{path!r} cannot be set: {where!r} is {_kind(here)}, not an object")
    elif not isinstance(here, list):
        raise PathError(f"{path!r} cannot be set: {where!r} is {_kind(here)}, not a list")
    elif part >= len(here):
        message = (
            f"{path!r} cannot be set: the list at {where!r} has {len(here)} elements, and setting "
            "does not extend a list"
        )
        raise PathError(message)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else "a scalar"
