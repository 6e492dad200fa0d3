"""Reads a node's config and, when parts of it are wrong, what is left of it.

A node with one mistake must not make its neighbours look wrong: its other fields are checked, and
its edges hold, in the same answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError, create_model

from workflows.definition.explain import Mistake, explain

_ROUNDS = 4

M = TypeVar("M", bound=BaseModel)
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Reading(Generic[M]):
    """A config as far as it could be read (None: not at all), and what is wrong with it.

    `kept` tells, for each list that lost items, which of its items are left: the pointers of the
    config's own parts are led back to the document by it.
    """

    config: M | None
    mistakes: tuple[Mistake, ...] = ()
    kept: Mapping[Path, tuple[int, ...]] | None = None

    def in_document(self, pointer: str) -> str:
        """Return the pointer in the document for a pointer in the config."""
        if not self.kept:
            return pointer
        path: Path = ()
        for step in pointer.split("/")[1:]:
            indexes = self.kept.get(path)
            if indexes is not None and step.isdigit() and int(step) < len(indexes):
                path = (*path, indexes[int(step)])
            else:
                path = (*path, int(step) if step.isdigit() else step)
        return "".join(f"/{step}" for step in path)


def read_config(model: type[M], raw: Mapping[str, Any]) -> Reading[M]:
    """Validate a node or a document strictly; wrong parts are left out until the rest is sound."""
    value, numbered = dict(raw), _number(raw)
    mistakes: list[Mistake] = []
    reader = model
    for turn in range(_ROUNDS):
        try:
            # Through JSON text: only so pydantic is strict and still reads tuples and durations.
            config = reader.model_validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            found = explain(error.errors(include_url=False), value, reader)
            mistakes += found if turn == 0 else []
            reader = _without_missing(reader, error)
            numbered = _without(numbered, [mistake.path for mistake in found])
            value = _plain(numbered)
        except (TypeError, AttributeError, ValueError):
            break  # a validator of the kind stumbled over a field that is not there
        else:
            return Reading(config, tuple(mistakes), _kept(numbered) if mistakes else None)
    return Reading(None, tuple(mistakes))


def _without_missing(model: type[M], error: ValidationError) -> type[M]:
    names = {
        str(one["loc"][0])
        for one in error.errors(include_url=False)
        if one["type"] == "missing" and len(one["loc"]) == 1
    }
    fields: dict[str, Any] = {
        name: (Any, None)
        for name, info in model.model_fields.items()
        if name in names or info.alias in names
    }
    return create_model(model.__name__, __base__=model, **fields) if fields else model


def _number(value: Any) -> Any:
    """Give every list item its index, so that it is still known when others are gone."""
    if isinstance(value, Mapping):
        return {key: _number(item) for key, item in value.items()}
    if isinstance(value, list):
        return [(index, _number(item)) for index, item in enumerate(value)]
    return value


def _plain(numbered: Any) -> Any:
    if isinstance(numbered, dict):
        return {key: _plain(item) for key, item in numbered.items()}
    if isinstance(numbered, list):
        return [_plain(item) for _, item in numbered]
    return numbered


def _without(numbered: Any, paths: list[Path]) -> Any:
    """Return the value without what stands at `paths` (paths count what is there now)."""
    gone = {path[0] for path in paths if len(path) == 1}
    deeper: dict[str | int, list[Path]] = {}
    for path in paths:
        if len(path) > 1:
            deeper.setdefault(path[0], []).append(path[1:])
    if isinstance(numbered, dict):
        return {
            key: _without(item, deeper[key]) if key in deeper else item
            for key, item in numbered.items()
            if key not in gone
        }
    if isinstance(numbered, list):
        return [
            (index, _without(item, deeper[at]) if at in deeper else item)
            for at, (index, item) in enumerate(numbered)
            if at not in gone
        ]
    return numbered


def _kept(numbered: Any, path: Path = ()) -> dict[Path, tuple[int, ...]]:
    found: dict[Path, tuple[int, ...]] = {}
    if isinstance(numbered, dict):
        for key, item in numbered.items():
            found |= _kept(item, (*path, key))
    elif isinstance(numbered, list):
        found[path] = tuple(index for index, _ in numbered)
        for index, item in numbered:
            found |= _kept(item, (*path, index))
    return found
