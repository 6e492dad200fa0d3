"""What the API reads: bodies and query parameters, field by field."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from workflows.api.fields import (
    AnyField,
    ChoiceField,
    FlagField,
    LifeField,
    ObjectField,
    TextField,
    ToleranceField,
    WholeField,
)
from workflows.services.runs import REASON_LENGTH
from workflows.states import RunStatus

LARGEST_NUMBER = 2**31 - 1


class StartSerializer(serializers.Serializer[None]):
    """The body of a start."""

    workflow = TextField(max_length=200)
    input = ObjectField(required=False)
    key = TextField(
        required=False, max_length=200, help_text="A second start with it returns the first run."
    )
    version = WholeField(required=False, min_value=1, max_value=LARGEST_NUMBER)


class CancelSerializer(serializers.Serializer[None]):
    """The body of a cancel."""

    reason = TextField(required=False, default="", allow_blank=True, max_length=REASON_LENGTH)
    compensate = FlagField(
        required=False, default=False, help_text="Undo the steps that have finished first."
    )


class ChangeGroupSerializer(serializers.Serializer[None]):
    """The body of a change of a split that is under way."""

    other_fields: ClassVar[dict[str, Any]] = {
        "additionalProperties": False,
        "anyOf": [{"required": ["parallel"]}, {"required": ["tolerate"]}],
    }

    node = TextField(max_length=80, help_text="Id of the split's node.")
    group = serializers.UUIDField(required=False, help_text="Only this one of its open groups.")
    parallel = WholeField(required=False, min_value=0, max_value=LARGEST_NUMBER)
    tolerate = ToleranceField(required=False, allow_null=True)


class LoginSerializer(serializers.Serializer[None]):
    """The body of a login."""

    username = TextField(max_length=254)
    password = TextField(max_length=4096)


class ShortEventSerializer(serializers.Serializer[None]):
    """Our own short form of an event."""

    type = TextField(max_length=200)
    key = TextField(required=False, default="", allow_blank=True, max_length=500)
    data = AnyField(required=False, default=None)  # type: ignore[assignment]  # a field, not the property
    source = TextField(required=False, default="api", max_length=200)  # type: ignore[assignment]  # likewise
    id = TextField(required=False, max_length=200)
    ttl = LifeField(required=False, help_text="How long it is kept for a wait that opens later.")
    deliver = ChoiceField(required=False, default="one", choices=("one", "all"))


class CloudEventSerializer(serializers.Serializer[None]):
    """A CloudEvent 1.0; its correlation key is the attribute `key`, else `subject`."""

    other_fields: ClassVar[dict[str, Any]] = {  # extension attributes
        "propertyNames": {"pattern": "^[a-z0-9]{1,100}$"},
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    }

    specversion = ChoiceField(choices=("1.0",))
    id = TextField(max_length=200)
    source = TextField(max_length=200)  # type: ignore[assignment]  # a field, not the attribute
    type = TextField(max_length=200)
    subject = TextField(required=False, max_length=500)
    key = TextField(required=False, max_length=500)
    time = serializers.DateTimeField(required=False)
    datacontenttype = TextField(required=False, max_length=200)
    dataschema = TextField(required=False, max_length=2000)
    data = AnyField(required=False, default=None)  # type: ignore[assignment]  # a field, not the property


class RunQuery(serializers.Serializer[None]):
    """Filters of the list of runs; all of them must hold."""

    status = ChoiceField(required=False, choices=[status.value for status in RunStatus])
    workflow = TextField(required=False, max_length=200)
    key = TextField(required=False, max_length=200)
    parent = serializers.UUIDField(  # type: ignore[assignment]  # a field
        required=False, help_text="Only child runs of this run."
    )
    created_after = serializers.DateTimeField(required=False, help_text="Not before this.")
    created_before = serializers.DateTimeField(required=False, help_text="Before this.")


class EventQuery(serializers.Serializer[None]):
    """Filters of the list of events; all of them must hold."""

    type = TextField(required=False, max_length=200)
    key = TextField(required=False, max_length=500)
    source = TextField(required=False, max_length=200)  # type: ignore[assignment]  # a field
    received_after = serializers.DateTimeField(required=False, help_text="Not before this.")
    received_before = serializers.DateTimeField(required=False, help_text="Before this.")


def as_lookups(query: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the lookups of a queryset for checked query parameters."""
    return {names[name]: value for name, value in query.items()}
