"""JSON Schema 2020-12, made safe: patterns run on re2, nothing is fetched, messages quote little.

The schemas are written by authors, the values come from anywhere.
"""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing.exceptions import Unresolvable
from referencing.jsonschema import EMPTY_REGISTRY

from workflows.definition.assemble import escape, steps
from workflows.definition.schema_keywords import FORMATS, SafeValidator, explain, pattern_fault
from workflows.errors import InputRefusedError, Problem

MAX_PROBLEMS = 20
_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE = (
    *("items", "contains", "additionalProperties", "not", "if", "then", "else"),
    *("propertyNames", "unevaluatedItems", "unevaluatedProperties", "contentSchema"),
)

#: All of 2020-12, and what OpenAPI adds for readers.
KEYWORDS = frozenset(
    {
        *_NAMED,
        *_LISTED,
        *_SINGLE,
        *("$schema", "$id", "$ref", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary"),
        *("$comment", "title", "description", "default", "deprecated", "readOnly", "writeOnly"),
        *("examples", "example", "type", "const", "enum", "format", "pattern", "multipleOf"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"),
        *("minItems", "maxItems", "uniqueItems", "minContains", "maxContains", "required"),
        *("minProperties", "maxProperties", "dependentRequired", "contentEncoding"),
        *("contentMediaType", "dependencies", "$recursiveRef", "$recursiveAnchor"),
    }
)

Schema = dict[str, Any] | bool


def validate_value(schema: Schema, value: Any, *, what: str) -> None:
    """Check a JSON value against a JSON Schema.

    Args:
        schema: a schema that `check_schema` finds nothing in.
        value: plain JSON.
        what: what the value is, for the message: "the input of 'refund'".

    Raises:
        InputRefusedError: with the first MAX_PROBLEMS problems, each with its JSON pointer.
    """
    if schema is True:
        return
    try:
        errors = list(islice(_validator(_text(schema)).iter_errors(value), MAX_PROBLEMS))
    except (RecursionError, OverflowError, Unresolvable, re2.error):
        raise InputRefusedError(
            f"{what} cannot be checked: its schema does not end on this value",
            [Problem("schema_endless", "the schema cannot be evaluated on this value")],
        ) from None
    if not errors:
        return
    problems = [_problem(error) for error in errors]
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    message = f"{what} does not fit its schema, at {first.pointer or '/'}: {first.message}{more}"
    raise InputRefusedError(message, problems)


def check_schema(schema: Any) -> tuple[tuple[str, str], ...]:
    """Return (JSON pointer in the schema, message) for all that is wrong with a schema."""
    return () if schema is True else _check_text(_text(schema))


def unknown_keywords(schema: Any) -> tuple[tuple[str, str], ...]:
    """Return (JSON pointer in the schema, name) for all that is no keyword of JSON Schema."""
    return tuple(
        (f"{at}/{escape(name)}", name)
        for at, part in _subschemas(schema)
        for name in part
        if name not in KEYWORDS and not name.startswith("x-")
    )


@lru_cache(maxsize=512)
def _check_text(text: str) -> tuple[tuple[str, str], ...]:
    schema = json.loads(text)
    errors = [
        (_pointer(found.absolute_path), explain(found))
        for error in islice(_meta().iter_errors(schema), MAX_PROBLEMS)
        for found in [_best(error)]
    ]
    return tuple(dict.fromkeys(errors)) or tuple(_faults(schema))


@lru_cache(maxsize=1)
def _meta() -> Draft202012Validator:
    return Draft202012Validator(Draft202012Validator.META_SCHEMA)


@lru_cache(maxsize=512)
def _validator(text: str) -> Any:
    # An empty registry instead of the default one, which would fetch what a `$ref` names.
    return SafeValidator(json.loads(text), registry=EMPTY_REGISTRY, format_checker=FORMATS)


def _text(schema: Any) -> str:
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


def _best(error: ValidationError) -> ValidationError:
    return best_match([error]) or error


def _problem(error: ValidationError) -> Problem:
    best = _best(error)
    return Problem(
        f"schema_{best.validator or 'false'}", explain(best), _pointer(best.absolute_path)
    )


def _pointer(path: Iterable[str | int]) -> str:
    return "".join(f"/{escape(str(step))}" for step in path)


def _faults(schema: Any) -> Iterator[tuple[str, str]]:
    """Yield what the schema of schemas lets through and we do not."""
    parts = list(_subschemas(schema))
    has_patterns = any("patternProperties" in part for _, part in parts)
    for at, part in parts:
        yield from _reference_faults(schema, part, at)
        for keyword, pattern in _patterns(part):
            fault = pattern_fault(pattern)
            if fault:
                yield f"{at}/{keyword}", fault
        if has_patterns and "unevaluatedProperties" in part:
            message = "`unevaluatedProperties` cannot be used together with `patternProperties`"
            yield f"{at}/unevaluatedProperties", message


def _patterns(part: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "pattern" in part:
        yield "pattern", part["pattern"]
    for pattern in part.get("patternProperties", {}):
        yield f"patternProperties/{escape(pattern)}", pattern


def _reference_faults(root: Any, part: dict[str, Any], at: str) -> Iterator[tuple[str, str]]:
    if at and "$id" in part:
        yield f"{at}/$id", "`$id` is allowed at the top of a schema only"
    if part.get("$schema", _DIALECT).rstrip("#") != _DIALECT:
        yield f"{at}/$schema", f"only JSON Schema 2020-12 is known: {_DIALECT}"
    for keyword in ("$ref", "$dynamicRef"):
        reference = part.get(keyword)
        if reference is None:
            continue
        if not reference.startswith("#"):
            yield f"{at}/{keyword}", "only references inside of the schema are allowed: `#/...`"
        elif not _leads_somewhere(root, reference):
            yield f"{at}/{keyword}", "the reference leads to nothing in the schema"


def _leads_somewhere(root: Any, reference: str) -> bool:
    fragment = reference.removeprefix("#")
    if fragment and not fragment.startswith("/"):
        return any(
            fragment in (part.get("$anchor"), part.get("$dynamicAnchor"))
            for _, part in _subschemas(root)
        )
    here = root
    for step in steps(fragment):
        if isinstance(here, dict) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isdecimal() and int(step) < len(here):
            here = here[int(step)]
        else:
            return False
    return isinstance(here, dict | bool)


def _subschemas(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (pointer, schema) for the schema and all schemas in it, outer ones first."""
    stack = [("", schema)]
    while stack:
        at, part = stack.pop()
        if isinstance(part, dict):
            yield at, part
            stack += _children(at, part)


def _children(at: str, part: dict[str, Any]) -> list[tuple[str, Any]]:
    found = [(f"{at}/{name}", part[name]) for name in _SINGLE if name in part]
    for name in _NAMED:
        if isinstance(part.get(name), dict):
            found += [(f"{at}/{name}/{escape(key)}", sub) for key, sub in part[name].items()]
    for name in _LISTED:
        if isinstance(part.get(name), list):
            found += [(f"{at}/{name}/{index}", sub) for index, sub in enumerate(part[name])]
    return found
