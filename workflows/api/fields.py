"""Fields that take a value of their type and nothing that merely can be turned into one."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from pydantic import TypeAdapter, ValidationError
from rest_framework import serializers

from workflows.definition.fields import Duration
from workflows.errors import suggest

LONGEST_LIFE = timedelta(days=366)
_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


class TextField(serializers.CharField):
    """Text, as it is: no number, no trimming."""

    def __init__(self, **options: Any) -> None:
        # Blank text is refused anyway; said as a length, it is in the OpenAPI document too.
        shortest: dict[str, Any] = {} if options.get("allow_blank") else {"min_length": 1}
        super().__init__(trim_whitespace=False, **shortest, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class ChoiceField(serializers.ChoiceField):
    """One of several words; what is none of them is answered with all of them."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and data in self.choices:
            return data
        known = [str(choice) for choice in self.choices]
        near = suggest(data, set(known)) if isinstance(data, str) else ""
        message = f"{str(data)[:80]!r} is none of {', '.join(map(repr, known))}{near}."
        raise serializers.ValidationError(message, code="invalid_choice")


class WholeField(serializers.IntegerField):
    """A whole number, which may be written as 1.0; neither text nor a boolean."""

    def to_internal_value(self, data: Any) -> int:
        whole = _as_whole(data)
        if isinstance(whole, bool) or not isinstance(whole, int):
            self.fail("invalid")
        return super().to_internal_value(whole)


class FlagField(serializers.BooleanField):
    """True or false, and nothing that means it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


def _as_whole(data: Any) -> Any:
    """Return 1 for 1.0, which JSON Schema takes for an integer; anything else as it is."""
    return int(data) if isinstance(data, float) and data.is_integer() else data


@extend_schema_field({"type": "object", "additionalProperties": True})
class ObjectField(serializers.JSONField):
    """A JSON object of any content."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            message = "Must be an object."
            raise serializers.ValidationError(message, code="input_type")
        return data


@extend_schema_field(
    {
        "type": "object",  # `allow_null` adds the other type
        "properties": {
            "count": {"type": "integer", "minimum": 0},
            "percent": {"type": "number", "minimum": 0, "maximum": 100},
        },
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
)
class ToleranceField(serializers.JSONField):
    """`{"count": n}` or `{"percent": p}` of parts that may fail; null for none."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict) or len(data) != 1:
            message = "Must be an object with either `count` or `percent`, or null."
            raise serializers.ValidationError(message, code="input_type")
        return {name: _as_whole(value) for name, value in data.items()}


@extend_schema_field({})
class AnyField(serializers.JSONField):
    """Any JSON value; null as well."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # `allow_null` would say the same, and make the OpenAPI document contradict itself.
        return (True, None) if data is None else super().validate_empty_values(data)


@extend_schema_field({"type": "string", "format": "duration", "examples": ["PT5M", "P2D"]})
class LifeField(serializers.Field[timedelta, Any, str, Any]):
    """An ISO 8601 duration above zero, at most a year."""

    def to_internal_value(self, data: Any) -> timedelta:
        try:
            life = _DURATION.validate_python(data) if isinstance(data, str) else timedelta(0)
        except ValidationError:
            life = timedelta(0)
        if not timedelta(0) < life <= LONGEST_LIFE:
            message = "Must be an ISO 8601 duration such as PT5M or P2D, at most P366D."
            raise serializers.ValidationError(message, code="duration")
        return life

    def to_representation(self, value: timedelta) -> str:
        return f"PT{int(value.total_seconds())}S"
