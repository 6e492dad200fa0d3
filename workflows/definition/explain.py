"""Turns pydantic's errors into short messages at exact places, one for each mistake."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from workflows.definition.assemble import escape
from workflows.definition.model import NODE_ID, WORKFLOW_NAME
from workflows.errors import nearest, suggest

_Error = Mapping[str, Any]
_EXCERPT = 40
_MOST_LISTED = 20
#: One of the values in pydantic's "'sum', 'count' or 'avg'".
_CHOICE = re.compile("'([^']*)'")

_PATTERNS = {
    NODE_ID: "a name of letters, digits, '_' and '-' that begins with a letter, at most 64 long",
    WORKFLOW_NAME: "a slug of small letters, digits, '_' and '-', with '/' between folders",
}
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "none_required": "null",
    "time_delta_type": "an ISO 8601 duration such as PT5M or P2D",
}


_OPENINGS = {
    "Input should be ": "must be",
    "Input should ": "must",
    "String should have ": "must have",
    "List should have ": "must have",
    "Tuple should have ": "must have",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a value: `path` leads to it, `at_key` tells that its key is what is wrong.

    `field` is the one that is missing in the object at `path`, or the one that an unknown field
    was probably meant to be.
    """

    code: str
    message: str
    path: tuple[str | int, ...]
    at_key: bool = False
    field: str = ""

    @property
    def pointer(self) -> str:
        """JSON pointer of `path`."""
        return "".join(f"/{escape(str(step))}" for step in self.path)


def explain(errors: Iterable[_Error], value: Any, model: type[BaseModel]) -> list[Mistake]:
    """Return what is wrong with `value`, which `model` refused with these pydantic errors."""
    placed = [_Placed.of(error, value) for error in errors]
    mistakes = [_mistake(group, value, model) for group in _grouped(placed)]
    misspelt = {(one.path[:-1], one.field) for one in mistakes if one.at_key}
    return [one for one in mistakes if one.at_key or (one.path, one.field) not in misspelt]


@dataclass(frozen=True, slots=True)
class _Placed:
    """An error, the path that it has in the value, and the alternative of a union it is about."""

    error: _Error
    path: tuple[str | int, ...]
    union: tuple[tuple[str | int, ...], str] | None

    @classmethod
    def of(cls, error: _Error, value: Any) -> "_Placed":
        path: list[str | int] = []
        union: tuple[tuple[str | int, ...], str] | None = None
        loc = error["loc"]
        for step in loc[:-1] if error["type"] == "missing" else loc:
            if _has(value, step):
                value = value[step]
                path.append(step)
            else:  # not a step into the value: the name of one alternative of a union
                union = union or (tuple(path), str(step))
        return cls(error, tuple(path), union)


def _grouped(placed: list[_Placed]) -> Iterator[list[_Placed]]:
    """Yield errors that are one mistake together; of a union, only the nearest alternative's."""
    unions: dict[tuple[str | int, ...], dict[str, list[_Placed]]] = {}
    for one in placed:
        if one.union is None:
            yield [one]
        else:
            unions.setdefault(one.union[0], {}).setdefault(one.union[1], []).append(one)
    for at, alternatives in unions.items():
        shallow = [one for group in alternatives.values() for one in group if one.path == at]
        deep = [group for group in alternatives.values() if all(one.path != at for one in group)]
        if deep:
            yield from ([one] for one in min(deep, key=len))
        elif shallow:
            typed = [one for one in shallow if one.error["type"] in _WANTED]
            others = [one for one in shallow if one not in typed]
            yield typed if not others else others[:1]


def _mistake(group: list[_Placed], value: Any, model: type[BaseModel]) -> Mistake:
    one = group[0]
    kind, loc = one.error["type"], one.error["loc"]
    if kind == "extra_forbidden":
        name = str(loc[-1])
        known = _fields_around(model, loc[:-1])
        meant = nearest(name, known) or ""
        hint = f" (did you mean {meant!r}?)" if meant else _listing(known)
        message = f"unknown field {name!r}{hint}"
        return Mistake("unknown_field", message, one.path, at_key=True, field=meant)
    if kind == "missing":
        field = str(loc[-1])
        message = f"the required field {field!r} is missing"
        return Mistake("missing_field", message, one.path, field=field)
    found = _at(value, one.path)
    if kind in _WANTED:
        wanted = " or ".join(dict.fromkeys(_WANTED[each.error["type"]] for each in group))
        return Mistake("wrong_type", f"expected {wanted}, got {describe(found)}", one.path)
    return Mistake("wrong_value", _sentence(one.error, found), one.path)


def _sentence(error: _Error, found: Any) -> str:
    context = error.get("ctx") or {}
    if error["type"] == "string_pattern_mismatch":
        wanted = _PATTERNS.get(context["pattern"], f"text that matches {context['pattern']}")
        return f"expected {wanted}, got {describe(found)}"
    if error["type"] == "literal_error" and isinstance(found, str):
        hint = suggest(found, _CHOICE.findall(context["expected"]))
        return f"expected {context['expected']}, got {describe(found)}{hint}"
    if error["type"] in ("string_too_short", "too_short") and not found:
        return "this must not be empty"
    message = str(error["msg"]).removeprefix("Value error, ")
    for before, after in _OPENINGS.items():
        if message.startswith(before):
            return f"{after} {message.removeprefix(before)}; got {describe(found)}"
    return message


def describe(value: Any) -> str:
    """Name a JSON value for a message: what it is, and a short excerpt of a scalar."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        short = value if len(value) <= _EXCERPT else f"{value[:_EXCERPT]}..."
        return f"the text {short!r}"
    return f"the number {value}"


def _listing(known: set[str]) -> str:
    return f"; known here: {', '.join(sorted(known))}" if 0 < len(known) <= _MOST_LISTED else ""


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _at(value: Any, path: Iterable[str | int]) -> Any:
    for step in path:
        value = value[step]
    return value


def _fields_around(model: type[BaseModel], loc: Iterable[str | int]) -> set[str]:
    """Return the names of the fields that an author may write at `loc`."""
    models = [model]
    for step in loc:
        if isinstance(step, int):
            continue
        inner = [
            found
            for each in models
            for name, info in each.model_fields.items()
            if step in (name, info.alias)
            for found in _models_in(info.annotation)
        ]
        # No field of that name: the step names one alternative of a union.
        models = inner or [each for each in models if each.__name__ == step] or models
    return {info.alias or name for each in models for name, info in each.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for part in get_args(annotation):
        yield from _models_in(part)
