"""JSON Schema on values from anywhere: safe patterns, no fetching, short messages."""

from time import perf_counter
from typing import Any

import pytest

from workflows.definition.schema_check import MAX_PROBLEMS, check_schema, validate_value
from workflows.errors import InputRefusedError

ORDER = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
        "when": {"type": "string", "format": "date-time"},
        "to": {"anyOf": [{"type": "string", "format": "email"}, {"type": "null"}]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "uniqueItems": True},
    },
    "$defs": {"line": {"type": "object", "required": ["sku"], "properties": {"n": {"minimum": 1}}}},
}


def problems(schema: Any, value: Any) -> list[tuple[str, str]]:
    try:
        validate_value(schema, value, what="the input")
    except InputRefusedError as error:
        return [(problem.pointer, problem.message) for problem in error.problems]
    return []


def test_a_value_that_fits_is_accepted() -> None:
    value = {"id": "abc", "when": "2030-01-31T09:00:00.123456789+01:00", "to": "a@example.org"}
    assert problems(ORDER, {**value, "lines": [{"sku": 1}, {"sku": True}]}) == []


@pytest.mark.parametrize(
    ("value", "pointer", "message"),
    [
        ({}, "", "the required field 'id' is missing"),
        ({"id": 5}, "/id", "expected text, got a whole number"),
        ({"id": "A"}, "/id", "does not match the pattern ^[a-z]+$"),
        ({"id": "aaaaaa"}, "/id", "must have at most 5 characters"),
        ({"id": "a", "whn": 1}, "/whn", "unknown field 'whn' (did you mean 'when'?)"),
        ({"id": "a", "when": "2030-13-01T00:00:00Z"}, "/when", "is no date-time"),
        ({"id": "a", "when": "tomorrow"}, "/when", "is no date-time"),
        ({"id": "a", "to": "nobody"}, "/to", "is no email"),
        ({"id": "a", "lines": [{}]}, "/lines/0", "the required field 'sku' is missing"),
        ({"id": "a", "lines": [{"sku": 1, "n": 0}]}, "/lines/0/n", "must be at least 1"),
        ({"id": "a", "lines": [{"sku": 1}, {"sku": 1.0}]}, "/lines", "no item may be there twice"),
        (5, "", "expected an object, got a whole number"),
    ],
)
def test_a_value_that_does_not_fit_is_told_why(value: Any, pointer: str, message: str) -> None:
    assert problems(ORDER, value) == [(pointer, message)]


def test_only_the_first_problems_are_told() -> None:
    assert len(problems({"items": {"type": "string"}}, list(range(1000)))) == MAX_PROBLEMS


def test_a_message_never_quotes_much_of_the_data() -> None:
    secret = "s3cret" * 100
    schema = {"properties": {"a": {"const": 1}, "b": False, "c": {"enum": ["x"]}}}
    value = {"a": secret, "b": {"x": secret}, "c": secret}
    with pytest.raises(InputRefusedError) as caught:
        validate_value(schema, value, what="the input")
    assert "s3cret" not in str(caught.value) + str(caught.value.details)


def test_a_hostile_pattern_takes_no_time() -> None:
    schema = {"patternProperties": {"^(a+)+$": False}, "pattern": "^(a+)+$"}
    assert check_schema(schema) == ()
    started = perf_counter()
    assert problems(schema, "a" * 5000 + "!")
    assert problems({**schema, "additionalProperties": False}, {"a" * 5000 + "!": 1})
    assert perf_counter() - started < 1


def test_many_objects_that_must_differ_take_no_time() -> None:
    started = perf_counter()
    assert problems({"uniqueItems": True}, [{"n": n} for n in range(10_000)]) == []
    assert perf_counter() - started < 1


def test_a_schema_that_refers_to_itself_ends() -> None:
    assert check_schema({"$ref": "#"}) == ()
    assert problems({"$ref": "#"}, 1) == [("", "the schema cannot be evaluated on this value")]


def test_false_allows_nothing() -> None:
    assert problems(schema=False, value={"a": 1}) == [("", "nothing is allowed here")]
    assert problems(schema=True, value={"a": 1}) == []


@pytest.mark.parametrize(
    ("schema", "pointer", "message"),
    [
        ({"type": "strin"}, "/type", "expected one of"),
        ({"properties": {"a/b": {"minimum": "x"}}}, "/properties/a~1b/minimum", "expected a numb"),
        ({"required": "a"}, "/required", "expected a list, got text"),
        ([], "", "expected an object or true or false, got a list"),
        ({"pattern": "("}, "/pattern", "the pattern is not one for RE2"),
        ({"items": {"pattern": "(?=a)"}}, "/items/pattern", "the pattern is not one for RE2"),
        ({"pattern": "a" * 2000}, "/pattern", "a pattern must not be longer"),
        ({"patternProperties": {"(": {}}}, "/patternProperties/(", "the pattern is not one for"),
        ({"$ref": "https://example.org/x"}, "/$ref", "only references inside of the schema"),
        ({"allOf": [{"$ref": "other.json"}]}, "/allOf/0/$ref", "only references inside of the"),
        ({"$ref": "#/$defs/a"}, "/$ref", "the reference leads to nothing"),
        ({"$ref": "#a"}, "/$ref", "the reference leads to nothing"),
        ({"items": {"$id": "x"}}, "/items/$id", "`$id` is allowed at the top"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema", "only JSON Schema 2"),
        (
            {"patternProperties": {"a": True}, "unevaluatedProperties": False},
            "/unevaluatedProperties",
            "`unevaluatedProperties` cannot be used",
        ),
    ],
)
def test_a_schema_that_is_none_is_refused(schema: Any, pointer: str, message: str) -> None:
    ((found, text),) = check_schema(schema)
    assert found == pointer
    assert text.startswith(message)


@pytest.mark.parametrize(
    "schema",
    [
        ORDER,
        {"$id": "https://example.org/x", "$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}},
        {"$ref": "#node", "$defs": {"n": {"$anchor": "node"}}},
        {"properties": {"$ref": {"type": "string"}}, "const": {"$ref": "https://example.org"}},
    ],
)
def test_a_sound_schema_is_accepted(schema: Any) -> None:
    assert check_schema(schema) == ()
