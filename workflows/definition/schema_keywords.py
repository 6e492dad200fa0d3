"""The keywords of JSON Schema that are not safe as the library has them, and short messages."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import re2
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from workflows.errors import suggest

_MAX_PATTERN = 1000
_EXCERPT = 40
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


def pattern_fault(pattern: str) -> str:
    """Return why a pattern is refused, or nothing."""
    if len(pattern) > _MAX_PATTERN:
        return f"a pattern must not be longer than {_MAX_PATTERN} characters"
    try:
        _compiled(pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else "malformed"
        text = reason.decode() if isinstance(reason, bytes) else str(reason)
        return f"the pattern is not one for RE2 (no look-around, no back-references): {text}"
    return ""


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _compiled(pattern).search(instance):
        yield ValidationError("pattern")


def _pattern_properties(
    validator: Any, patterns: dict[str, Any], instance: Any, _: Any
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for pattern, schema in patterns.items():
        for key, value in instance.items():
            if _compiled(pattern).search(key):
                yield from validator.descend(value, schema, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, extra: Any, instance: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for key, value in instance.items():
        if key in known or any(_compiled(pattern).search(key) for pattern in patterns):
            continue
        if extra is False:
            yield ValidationError("additionalProperties", path=[key])
        else:
            yield from validator.descend(value, extra, path=key)


def _unique_items(_: Any, wanted: bool, instance: Any, __: Any) -> Iterator[ValidationError]:  # noqa: FBT001 - the library calls it so
    # By text and not by comparing all with all, which takes minutes for a long list of objects.
    if wanted and isinstance(instance, list):
        texts = {json.dumps(_as_compared(item), sort_keys=True) for item in instance}
        if len(texts) < len(instance):
            yield ValidationError("uniqueItems")


def _as_compared(value: Any) -> Any:
    """Return the value so that 1 and 1.0 have the same text, as JSON Schema compares them."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_as_compared(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_compared(item) for key, item in value.items()}
    return value


SafeValidator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    },
)


class FormatRefusedError(ValueError):
    """A format of an app's own says in its words why a text is refused."""


#: Only what is cheap to tell, and what apps register; other formats are notes for the reader.
FORMATS = FormatChecker(formats=())
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


@FORMATS.checks("date-time", ValueError)
def _is_timestamp(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    match = _TIMESTAMP.fullmatch(value)
    # The fraction may have more digits than Python reads.
    return match is not None and bool(datetime.fromisoformat(value[:19] + match.group(2).upper()))


@FORMATS.checks("date", ValueError)
def _is_date(value: Any) -> bool:
    is_text = isinstance(value, str)
    return not is_text or bool(_DATE.fullmatch(value) and date.fromisoformat(value))


@FORMATS.checks("email")
def _is_email(value: Any) -> bool:
    return not isinstance(value, str) or bool(_EMAIL.fullmatch(value))


@FORMATS.checks("uri")
def _is_uri(value: Any) -> bool:
    return not isinstance(value, str) or bool(_URI.fullmatch(value))


def explain(error: Any) -> str:
    """Say in a few words what is wrong; of the data only a short excerpt is quoted."""
    if isinstance(error.cause, FormatRefusedError):
        return str(error.cause)
    build = _SENTENCES.get(str(error.validator))
    if build is None:
        keyword = error.validator
        return f"does not fit {keyword!r} of the schema" if keyword else "nothing is allowed here"
    return build(error.validator_value, error.instance, error)


def _kind(value: Any) -> str:
    for name in ("null", "boolean", "integer", "number", "string", "array", "object"):
        if Draft202012Validator.TYPE_CHECKER.is_type(value, name):
            return "true or false" if name == "boolean" else _TYPES[name]
    return "something else"


def _wanted_types(wanted: Any, value: Any, _: Any) -> str:
    names = wanted if isinstance(wanted, list) else [wanted]
    return f"expected {' or '.join(_TYPES[name] for name in names)}, got {_kind(value)}"


def _missing(_: Any, __: Any, error: Any) -> str:
    name = error.message.removesuffix(" is a required property")
    return f"the required field {_short(name)} is missing"


def _unknown(_: Any, __: Any, error: Any) -> str:
    name = str(error.path[-1]) if error.path else ""
    known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
    return f"unknown field {_short(repr(name))}{suggest(name, set(known))}"


def _one_of(wanted: list[Any], _: Any, __: Any) -> str:
    shown = ", ".join(_short(json.dumps(item, ensure_ascii=False)) for item in wanted[:8])
    return f"expected one of: {shown}{', ...' if len(wanted) > 8 else ''}"


def _alternatives(_: Any, __: Any, error: Any) -> str:
    here = [inner for inner in error.context if not inner.relative_path]
    if not error.context:
        return "must fit exactly one of the alternatives"
    if len(here) < len(error.context):
        return "fits none of the alternatives"
    return "; or ".join(dict.fromkeys(explain(inner) for inner in here[:3]))


def _short(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}..."


_SENTENCES: dict[str, Callable[[Any, Any, Any], str]] = {
    "type": _wanted_types,
    "required": _missing,
    "additionalProperties": _unknown,
    "enum": _one_of,
    "const": lambda wanted, _, __: f"must be {_short(json.dumps(wanted, ensure_ascii=False))}",
    "pattern": lambda wanted, _, __: f"does not match the pattern {_short(wanted)}",
    "format": lambda wanted, _, __: f"is no {wanted}",
    "minimum": lambda wanted, _, __: f"must be at least {wanted}",
    "maximum": lambda wanted, _, __: f"must be at most {wanted}",
    "exclusiveMinimum": lambda wanted, _, __: f"must be more than {wanted}",
    "exclusiveMaximum": lambda wanted, _, __: f"must be less than {wanted}",
    "multipleOf": lambda wanted, _, __: f"must be a multiple of {wanted}",
    "minLength": lambda wanted, _, __: f"must have at least {wanted} characters",
    "maxLength": lambda wanted, _, __: f"must have at most {wanted} characters",
    "minItems": lambda wanted, _, __: f"must have at least {wanted} items",
    "maxItems": lambda wanted, _, __: f"must have at most {wanted} items",
    "minProperties": lambda wanted, _, __: f"must have at least {wanted} fields",
    "maxProperties": lambda wanted, _, __: f"must have at most {wanted} fields",
    "uniqueItems": lambda *_: "no item may be there twice",
    "oneOf": _alternatives,
    "anyOf": _alternatives,
    "not": lambda *_: "is what the schema excludes",
    "contains": lambda *_: "has no item of the kind that it must contain",
}
