"""The JSON Schema of definition documents, for editors: completion, hover texts, early errors."""

from collections.abc import Mapping
from inspect import getdoc
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from workflows.definition.model import Definition, NodeConfig

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class DescribedKind(Protocol):
    """What of a kind is in the schema: its name, its fields, and its docstring."""

    name: ClassVar[str]
    Config: ClassVar[type[NodeConfig]]


def document_schema(kinds: Mapping[str, DescribedKind]) -> dict[str, Any]:
    """Return the JSON Schema 2020-12 of a whole document that may use these kinds.

    The same kinds give the same schema, key for key. A node's fields are those of its `type`.
    """
    top = _schema_of(Definition, "document")
    definitions = top.pop("$defs", {})
    for name in sorted(kinds):
        definitions |= _definitions_of(kinds[name])
    properties = {**top["properties"], "nodes": _nodes(top["properties"]["nodes"], kinds)}
    head = {"$schema": DIALECT, "title": "Workflow", "description": _first(Definition)}
    return {**top, **head, "properties": properties, "$defs": definitions}


def _nodes(field: Mapping[str, Any], kinds: Mapping[str, DescribedKind]) -> dict[str, Any]:
    types = [
        {"const": name, "title": name, "description": _first(type(kinds[name]))}
        for name in sorted(kinds)
    ]
    branches = [
        {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {"$ref": f"#/$defs/{name}"},
        }
        for name in sorted(kinds)
    ]
    item = {
        "type": "object",
        "required": ["id", "type"],
        "properties": {"type": {"oneOf": types, "description": "The kind of the node."}},
        "allOf": branches,
    }
    return {**field, "title": "Nodes", "items": item}


def _definitions_of(kind: DescribedKind) -> dict[str, Any]:
    schema = _schema_of(kind.Config, kind.name)
    definitions = schema.pop("$defs", {})
    schema["title"], schema["description"] = kind.name, _first(type(kind))
    schema["properties"]["type"] = {"const": kind.name, "description": "The kind of the node."}
    return {**definitions, kind.name: schema}


def _schema_of(model: type[BaseModel], owner: str) -> dict[str, Any]:
    """Return a model's schema; the models in it get names that no other kind's models have."""
    schema = model.model_json_schema(
        ref_template=f"#/$defs/{owner}.{{model}}", schema_generator=_Untitled
    )
    inner = schema.get("$defs", {})
    return schema | ({"$defs": {f"{owner}.{name}": inner[name] for name in inner}} if inner else {})


class _Untitled(GenerateJsonSchema):
    """Leaves out titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the library's signature
        return False


def _first(subject: type) -> str:
    """Return the first paragraph of a docstring, in one line."""
    text = getdoc(subject) or ""
    return " ".join(text.split("\n\n")[0].split())
