"""A JSON Schema becomes a form, and what is filled in becomes JSON again."""

from typing import Any

import pytest
from django import forms

from approvals.forms import AnswerForm
from workflows.errors import Problem
from workflows.forms import JSONTextField, schema_field, shown_answer


def filled(schema: dict[str, Any], *values: Any, **options: Any) -> AnswerForm:
    """Fill in the properties in their order."""
    data: dict[str, Any] = {f"field-{place}": value for place, value in enumerate(values)}
    return AnswerForm(schema, {**data, "comment": "Fine."}, **options)


def one(part: dict[str, Any], value: Any, *, required: bool = True) -> AnswerForm:
    schema = {"properties": {"it": part}, "required": ["it"] if required else []}
    return filled(schema, value)


@pytest.mark.parametrize(
    ("part", "typed", "expected"),
    [
        ({"type": "string"}, "T-1", "T-1"),
        ({"type": "string", "format": "date"}, "2026-03-01", "2026-03-01"),
        ({"type": "string", "format": "email"}, "lena@example.org", "lena@example.org"),
        ({"type": "string", "maxLength": 500}, "a\nb", "a\nb"),
        ({"type": "integer"}, "42", 42),
        ({"type": "number"}, "1.5", 1.5),
        ({"type": "boolean"}, "on", True),
        ({"type": "boolean"}, "", False),
        ({"type": ["integer", "null"]}, "7", 7),
        ({"enum": ["a", 2, None]}, "2", 2),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, ['"a"', '"b"'], ["a", "b"]),
        ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", [1, 2]),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"type": "string", "default": "x"}, "y", "y"),
    ],
)
def test_values_come_back_as_json(part: dict[str, Any], typed: Any, expected: Any) -> None:
    form = one(part, typed)
    assert form.is_valid(), form.errors
    assert form.answer() == {"it": expected}
    assert form.comment_text == "Fine."


@pytest.mark.parametrize(
    ("part", "typed"),
    [
        ({"type": "string"}, ""),
        ({"type": "string", "minLength": 3}, "ab"),
        ({"type": "string", "maxLength": 3}, "abcd"),
        ({"type": "string"}, "a\x00b"),
        ({"type": "string", "format": "email"}, "lena"),
        ({"type": "string", "format": "date"}, "tomorrow"),
        ({"type": "integer"}, "1.5"),
        ({"type": "integer"}, str(2**63)),
        ({"type": "integer", "minimum": 3}, "2"),
        ({"type": "number"}, "nan"),
        ({"type": "boolean", "const": True}, ""),
        ({"enum": ["a"]}, '"b"'),
        ({"type": "array", "items": {"enum": ["a"]}}, ['"c"']),
        ({"type": "object"}, "{"),
        ({"type": "object"}, '{"a": NaN}'),
    ],
)
def test_what_does_not_fit_is_said_at_the_field(part: dict[str, Any], typed: Any) -> None:
    form = one(part, typed)
    assert not form.is_valid()
    assert list(form.errors) == ["field-0"]


def test_blank_optional_fields_are_left_out() -> None:
    for part in ({"type": "string"}, {"type": "integer"}, {"enum": ["a"]}, {"type": "object"}):
        form = one(part, "", required=False)
        assert form.is_valid(), form.errors
        assert form.answer() == {}


def test_a_field_says_what_its_property_says() -> None:
    part = {"type": "string", "title": "Ticket", "description": "As in T-1.", "default": "T-"}
    field = schema_field("ticket", part, required=True)
    assert (field.label, field.help_text, field.initial) == ("Ticket", "As in T-1.", "T-")
    assert schema_field("cost_code", {"type": "string"}, required=False).label == "Cost code"


def test_long_text_has_several_lines() -> None:
    long = schema_field("why", {"type": "string", "maxLength": 201}, required=False)
    short = schema_field("why", {"type": "string", "maxLength": 200}, required=False)
    assert isinstance(long.widget, forms.Textarea)
    assert not isinstance(short.widget, forms.Textarea)


def test_what_the_subset_does_not_know_is_asked_for_as_json() -> None:
    for part in ({}, {"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}]}):
        assert isinstance(schema_field("it", part, required=True), JSONTextField)


def test_a_rejection_needs_no_form() -> None:
    schema = {
        "properties": {"ticket": {"type": "string"}, "checked": {"type": "boolean"}},
        "required": ["ticket", "checked"],
    }
    rejected = filled(schema, "", "", is_rejection=True)
    assert rejected.is_valid(), rejected.errors
    assert rejected.answer() == {}
    assert not filled(schema, "", "").is_valid()


def test_a_rejection_that_fills_something_in_hands_it_on() -> None:
    schema = {"properties": {"ticket": {"type": "string"}, "n": {"type": "integer"}}}
    rejected = filled(schema, "T-1", "", is_rejection=True)
    assert rejected.is_valid()
    assert rejected.answer() == {"ticket": "T-1"}


def test_problems_find_their_field() -> None:
    form = filled({"properties": {"a/b": {"type": "string"}, "c": {"type": "object"}}}, "x", "{}")
    assert form.is_valid()
    form.add_problems(
        [
            Problem("schema", "does not match", "/a~1b"),
            Problem("schema", "is too small", "/c/d/0"),
            Problem("schema", "is all wrong", ""),
        ]
    )
    assert form.errors == {
        "field-0": ["does not match"],
        "field-1": ["is too small"],
        "__all__": ["is all wrong"],
    }


def test_odd_property_names_cannot_shadow_the_comment() -> None:
    schema = {"properties": {"comment": {"type": "string"}, "<b>": {"type": "string"}}}
    form = filled(schema, "mine", "bold")
    assert form.is_valid()
    assert form.answer() == {"comment": "mine", "<b>": "bold"}
    assert form.comment_text == "Fine."
    assert "<b>" not in form.as_p()


def test_no_schema_asks_for_a_comment_only() -> None:
    form = AnswerForm(None, {"comment": ""})
    assert form.is_valid()
    assert (form.answer(), list(form.fields)) == ({}, ["comment"])


def test_a_choice_that_is_required_is_made_and_not_taken_over() -> None:
    field = schema_field("it", {"enum": ["a", "b"]}, required=True)
    assert [value for value, _ in choices_of(field)] == ["", '"a"', '"b"']
    field = schema_field("it", {"enum": ["a", "b"], "default": "b"}, required=True)
    assert [value for value, _ in choices_of(field)] == ['"a"', '"b"']
    form = one({"enum": ["a", "b"]}, "")
    assert not form.is_valid()


def choices_of(field: forms.Field) -> list[Any]:
    choices: Any = getattr(field, "choices", ())
    return list(choices)


@pytest.mark.parametrize(
    ("schema", "answer", "shown"),
    [
        (None, "yes\nand no", [("", "yes\nand no")]),
        ({"type": "integer"}, 7, [("", "7")]),
        (
            {"properties": {"b": {"title": "Bee"}, "a_c": {}}},
            {"a_c": True, "x": [1], "b": ["u", "v"]},
            [("Bee", "u, v"), ("A c", "yes"), ("X", "[\n  1\n]")],
        ),
        ({"properties": 3}, {"a": None}, [("A", "null")]),
        (True, {"a": ""}, [("A", "")]),
    ],
)
def test_answers_are_shown_with_the_labels_of_the_form(
    schema: Any, answer: Any, shown: list[tuple[str, str]]
) -> None:
    assert shown_answer(schema, answer) == shown
