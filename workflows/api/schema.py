"""What all operations have in common in the OpenAPI document."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from workflows.api.idempotency import HEADER, KEY_LENGTH
from workflows.api.problems import MEDIA_TYPE

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Sent again with the same key, the request is not done twice: it gets its first"
    " answer again, with `Idempotent-Replayed: true`.",
)


class ErrorSerializer(serializers.Serializer[None]):
    """One thing that is wrong, and where."""

    code = serializers.CharField()
    message = serializers.CharField()
    pointer = serializers.CharField(
        required=False, allow_null=True, help_text="JSON pointer into the body or document."
    )
    line = serializers.IntegerField(required=False, allow_null=True)
    column = serializers.IntegerField(required=False, allow_null=True)
    severity = serializers.CharField(required=False)


class ProblemSerializer(serializers.Serializer[None]):
    """A problem document (RFC 9457)."""

    type = serializers.CharField(help_text="`/problems/` and the code.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What is wrong, and how to mend it.")
    code = serializers.CharField(help_text="Stable: programs go by this.")
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]  # a field
    details = serializers.DictField(required=False)


class ApiSchema(AutoSchema):
    """Adds the problem documents, and `Idempotency-Key` to every POST that keeps answers."""

    def get_override_parameters(self) -> list[Any]:
        is_kept = self.method == "POST" and getattr(self.view, "keeps_answers", True)
        return [IDEMPOTENCY_KEY] if is_kept else []

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        others = getattr(serializer, "other_fields", {"additionalProperties": False})
        return schema | others if direction == "request" else schema

    def _get_response_bodies(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(*args, **kwargs)
        refusal = OpenApiResponse(ProblemSerializer, description="Refused; nothing was changed.")
        refused = self._get_response_for_code(refusal, "4XX", media_types=[MEDIA_TYPE])  # type: ignore[no-untyped-call]
        return bodies | {"4XX": refused}
