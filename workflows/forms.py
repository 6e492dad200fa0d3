"""A JSON Schema as a Django form: the subset that people can fill in, the rest as JSON text.

The schema stays the judge: the form only collects values of the right types, and the service
checks the whole against the schema. `SchemaForm` brings the service's problems back to the fields.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from django import forms

from workflows.context.values import loads
from workflows.errors import Problem, ValueRefusedError

JSONObject = dict[str, Any]

#: Text that may be longer than this gets a field of several lines.
LONG_TEXT = 200
_UNCHOSEN = ("", "Choose one")
#: Name of the one field of a schema that is no object.
_ANSWER = "answer"
_INT64 = 2**63
_BLANK = ("", "—")


class SchemaForm(forms.Form):
    """What a schema asks for: a field for each property of an object, or one for anything else.

    Without a schema the answer is text.
    """

    def __init__(self, schema: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = schema if isinstance(schema, dict) else {}
        asked = schema_fields(known)
        self._is_single = not asked and _type_of(known) != "object"
        if self._is_single:
            asked = {_ANSWER: _single_field(known)}
        # Django takes a form's fields by name, and a property may have any name at all.
        self._names = {f"field-{position}": name for position, name in enumerate(asked)}
        for field, name in self._names.items():
            self.fields[field] = asked[name]

    @property
    def has_required(self) -> bool:
        """Tell whether any field must be filled in: then the page says how these are marked."""
        return any(field.required for field in self.fields.values())

    def answer(self) -> Any:
        """Return the JSON value that was filled in; what is blank in an object is left out."""
        filled = {name: self.cleaned_data.get(field) for field, name in self._names.items()}
        if self._is_single:
            return filled[_ANSWER]
        return {name: value for name, value in filled.items() if value not in (None, "", [])}

    def add_problems(self, problems: list[Problem]) -> None:
        """Show each problem at the field that its JSON pointer leads to, else above the form."""
        fields = {name: field for field, name in self._names.items()}
        for problem in problems:
            top = problem.pointer.lstrip("/").split("/")[0].replace("~1", "/").replace("~0", "~")
            self.add_error(fields.get(top), problem.message)


class JSONTextField(forms.CharField):
    """A value of any shape, written as JSON."""

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return loads(text)
        except ValueRefusedError as error:
            raise forms.ValidationError(f"This is read as JSON: {error.message}") from None


class JSONDateField(forms.DateField):
    """A date, kept as the text that `format: date` asks for."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        return found.isoformat() if found else None


class JSONChoiceField(forms.TypedChoiceField):
    """One of the values of an `enum`, whatever their types are."""

    def __init__(self, values: list[Any], **kwargs: Any) -> None:
        options = [(json.dumps(value), _label(value)) for value in values]
        is_chosen = kwargs.get("initial") is not None
        if kwargs.get("required"):
            # Nobody answers the first of the values by not looking at the field.
            options = options if is_chosen else [_UNCHOSEN, *options]
        else:
            options = [_BLANK, *options]
        super().__init__(choices=options, coerce=json.loads, empty_value=None, **kwargs)


class JSONChoicesField(forms.TypedMultipleChoiceField):
    """Several values of an `enum`."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, values: list[Any], **kwargs: Any) -> None:
        options = [(json.dumps(value), _label(value)) for value in values]
        super().__init__(choices=options, coerce=json.loads, empty_value=None, **kwargs)


def schema_fields(schema: JSONObject | None) -> dict[str, forms.Field]:
    """Return a form field for each property of an object schema, in its order."""
    properties = (schema or {}).get("properties")
    if not isinstance(properties, Mapping):
        return {}
    required = (schema or {}).get("required", [])
    return {
        name: schema_field(name, part if isinstance(part, dict) else {}, required=name in required)
        for name, part in properties.items()
    }


def shown_answer(schema: Any, answer: Any) -> list[tuple[str, str]]:
    """Return the labels that a form had and what was filled in, as text; '' for no label."""
    if not isinstance(answer, dict):
        return [("", _shown(answer))]
    parts = schema.get("properties") if isinstance(schema, dict) else None
    known = parts if isinstance(parts, dict) else {}
    # In the order of the form, then what only the schema's author knows of.
    names = [name for name in known if name in answer]
    names += [name for name in answer if name not in known]
    return [(_heading(name, known.get(name)), _shown(answer[name])) for name in names]


def labels_of(schema: Any) -> dict[str, str]:
    """Return the label of each property that a form asks for."""
    return {name: str(field.label) for name, field in schema_fields(schema).items()}


def schema_field(name: str, schema: JSONObject, *, required: bool) -> forms.Field:
    """Return the field for one property; what the subset does not know is asked for as JSON."""
    common = {
        "label": _heading(name, schema),
        "help_text": schema.get("description", ""),
        "initial": schema.get("default"),
        "required": required,
    }
    if isinstance(schema.get("enum"), list):
        common["initial"] = json.dumps(schema["default"]) if "default" in schema else None
        return JSONChoiceField(schema["enum"], **common)
    make = _MAKERS.get(_type_of(schema), _make_json)
    return make(schema, common)


def _single_field(schema: JSONObject) -> forms.Field:
    if schema:
        return schema_field(_ANSWER, schema, required=True)
    return forms.CharField(label="Answer", widget=forms.Textarea(attrs={"rows": 3}))


def _type_of(schema: JSONObject) -> str:
    """Return the one type of a property; `null` beside it only says that it may be left out."""
    types = schema.get("type", "")
    if isinstance(types, list):
        left = [name for name in types if name != "null"]
        return left[0] if len(left) == 1 else ""
    return str(types)


def _make_text(schema: JSONObject, common: JSONObject) -> forms.Field:
    limits: JSONObject = {
        "max_length": schema.get("maxLength"),
        "min_length": schema.get("minLength"),
    }
    if schema.get("format") == "date":
        return JSONDateField(**common)
    if schema.get("format") == "email":
        return forms.EmailField(**common, **limits)
    if (schema.get("maxLength") or 0) > LONG_TEXT:
        return forms.CharField(**common, **limits, widget=forms.Textarea(attrs={"rows": 4}))
    return forms.CharField(**common, **limits)


def _make_integer(schema: JSONObject, common: JSONObject) -> forms.Field:
    lowest, highest = schema.get("minimum", -_INT64), schema.get("maximum", _INT64 - 1)
    return forms.IntegerField(**common, min_value=lowest, max_value=highest)


def _make_number(schema: JSONObject, common: JSONObject) -> forms.Field:
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    widget = forms.NumberInput(attrs={"step": "any"})
    return forms.FloatField(**common, min_value=lowest, max_value=highest, widget=widget)


def _make_boolean(schema: JSONObject, common: JSONObject) -> forms.Field:
    # A box that is not ticked is `false`, which is an answer: only `const: true` must be ticked.
    return forms.BooleanField(**{**common, "required": schema.get("const") is True})


def _make_list(schema: JSONObject, common: JSONObject) -> forms.Field:
    items = schema.get("items")
    values = items.get("enum") if isinstance(items, dict) else None
    if not isinstance(values, list):
        return _make_json(schema, common)
    common["initial"] = [json.dumps(value) for value in schema.get("default") or []]
    return JSONChoicesField(values, **common)


def _make_json(schema: JSONObject, common: JSONObject) -> forms.Field:
    if schema.get("default") is not None:
        common["initial"] = json.dumps(schema["default"], ensure_ascii=False, indent=2)
    common["help_text"] = f"{common['help_text']} Written as JSON.".strip()
    return JSONTextField(**common)


_MAKERS: dict[str, Callable[[JSONObject, JSONObject], forms.Field]] = {
    "string": _make_text,
    "integer": _make_integer,
    "number": _make_number,
    "boolean": _make_boolean,
    "array": _make_list,
}


def _label(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _heading(name: str, schema: Any) -> str:
    title = schema.get("title") if isinstance(schema, dict) else None
    return str(title or name.replace("_", " ").capitalize())


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
