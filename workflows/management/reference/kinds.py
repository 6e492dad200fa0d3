"""Every kind of node with its fields."""

import json
from collections.abc import Mapping
from inspect import getdoc
from typing import Any

from pydantic import BaseModel

from workflows.definition.model import (
    Definition,
    Limits,
    NodeConfig,
    RetryPolicy,
    StepConfig,
    WorkConfig,
)
from workflows.management.reference import markdown
from workflows.nodes.base import Kind
from workflows.nodes.registry import kinds

_COMMON: tuple[tuple[type[BaseModel], str], ...] = (
    (NodeConfig, "Every node has"),
    (StepConfig, "Every kind that goes on to another node also has"),
    (WorkConfig, "Every kind that takes time also has"),
)
_ABOUT = (
    "A document is YAML or JSON. `manage.py workflow validate` checks it, and an editor does so "
    "while it is written when its first line is `$schema: workflow.schema.json` (the file is "
    "beside this page)."
)


def page() -> str:
    """Return the page."""
    document = [
        "## The document",
        _ABOUT,
        _fields(Definition),
        "### Limits",
        _fields(Limits),
        "### Retry",
        _fields(RetryPolicy),
    ]
    known = sorted(kinds().items())
    return markdown.page(
        "Definitions and kinds of nodes",
        *document,
        "## Fields of all nodes",
        *_common(),
        "## Kinds",
        *(part for _, kind in known for part in _kind(kind)),
    )


def _common() -> list[str]:
    parts: list[str] = []
    known: set[str] = set()
    for model, words in _COMMON:
        parts += [f"{words}:", _fields(model, leave_out=known)]
        known |= set(model.model_fields)
    return parts


def _kind(kind: Kind[Any]) -> list[str]:
    base = next(model for model, _ in reversed(_COMMON) if issubclass(kind.Config, model))
    parts = [f"### `{kind.name}`", getdoc(type(kind)) or "", _base_words(base)]
    own = _fields(kind.Config, leave_out=set(base.model_fields))
    parts.append(own)
    schema = kind.Config.model_json_schema(by_alias=True)
    for name, inner in schema.get("$defs", {}).items():
        if name != RetryPolicy.__name__:
            parts += [f"**{name}**: {inner.get('description', '')}", _table(inner, leave_out=set())]
    return parts


def _base_words(base: type[BaseModel]) -> str:
    words: dict[type[BaseModel], str] = {
        NodeConfig: "Ends its thread: it has no `next`.",
        StepConfig: "Has `next` and `on_error`.",
        WorkConfig: "Has `next`, `on_error`, `retry`, `timeout`, `queue` and `priority`.",
    }
    return words[base]


def _fields(model: type[BaseModel], leave_out: set[str] | None = None) -> str:
    return _table(model.model_json_schema(by_alias=True), leave_out=leave_out or set())


def _table(schema: Mapping[str, Any], *, leave_out: set[str]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (markdown.code(name), _type(field), _default(name, field, required), _words(field))
        for name, field in schema.get("properties", {}).items()
        if name not in leave_out
    ]
    return markdown.table(("field", "type", "default", "what it is"), rows) if rows else ""


def _words(field: Mapping[str, Any]) -> str:
    return " ".join(str(field.get("description", "")).split())


def _default(name: str, field: Mapping[str, Any], required: set[str]) -> str:
    if name in required:
        return "**required**"
    default = field.get("default")
    return "" if default in (None, "", [], {}) else markdown.code(json.dumps(default))


def _type(field: Mapping[str, Any]) -> str:
    """Return a JSON Schema's type in words."""
    choices = field.get("anyOf") or field.get("oneOf")
    if choices:
        names = [_type(choice) for choice in choices if choice.get("type") != "null"]
        return " or ".join(dict.fromkeys(names))
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    values = field.get("enum", [field["const"]] if "const" in field else [])
    named = str(field.get("$ref", "")).rpartition("/")[2]
    words = ", ".join(map(markdown.code, values)) or named
    return words or str(field.get("format") or field.get("type") or "any")
