"""Readings that several kinds share, so that they read alike and fail alike."""

import json
from typing import Any

from workflows.absent import ABSENT
from workflows.context.paths import parse_path, read
from workflows.definition.model import Tolerate
from workflows.errors import PathError
from workflows.nodes.base import NodeCall
from workflows.nodes.outcomes import Fail, JSONObject

#: Longest correlation key of an event, in characters.
KEY_LENGTH = 500

#: Ordered: a boolean is an integer in Python, so it is asked for first.
_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (dict, "object"),
    (list, "array"),
)


#: Where the tolerated failures of a split's parts are listed behind its join.
ERRORS = "errors"


def tolerated(config: Tolerate | None) -> JSONObject | None:
    """Return what a split tolerates, as its group keeps it."""
    return config.model_dump(exclude_none=True) if config is not None else None


def unless_failed(context: JSONObject, config: Tolerate | None) -> JSONObject:
    """Return the context behind a split of which nothing has failed."""
    return {**context, ERRORS: []} if config is not None else context


def type_name(value: Any) -> str:
    """Return the JSON Schema name of a value's type, or 'absent'."""
    if value is ABSENT:
        return "absent"
    return next((name for types, name in _TYPES if isinstance(value, types)), "null")


def list_at(context: JSONObject, path: str) -> list[Any] | Fail:
    """Return the list at `path`; anything else is a failure that names the path and the type."""
    found = read(context, path)
    if isinstance(found, list):
        return found
    message = f"`items` is the path {path!r}, which must lead to a list; found: {type_name(found)}."
    return Fail("items_invalid", message)


def key_of(call: NodeCall[Any], source: str | None) -> str | Fail:
    """Return an event's correlation key as text; empty when the field was left out.

    A key is text, but the number of an order may be none: integers are taken as well.
    """
    if source is None:
        return ""
    value = call.evaluate(source)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number or (isinstance(value, str) and 0 < len(value) <= KEY_LENGTH):
        return str(value)
    found = f"text of {len(value)} characters" if isinstance(value, str) else type_name(value)
    message = f"`key` must give a text of 1 to {KEY_LENGTH} characters or an integer"
    return Fail("key_invalid", f"{message}; found: {found}.")


def text_at(call: NodeCall[Any], template: str) -> str:
    """Render a template as text: nothing for what is absent or null, JSON for what is no text."""
    value = call.render_entry(template)
    return "" if value is ABSENT else as_text(value)


def as_text(value: Any) -> str:
    """Return a value as text: nothing for null, JSON for what is no text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def path_problems(path: str, pointer: str) -> list[tuple[str, str]]:
    """Return what is wrong with a path that no field mark covers, as `Kind.check` answers it."""
    try:
        parse_path(path)
    except PathError as error:
        return [(pointer, error.message)]
    return []
