"""What the API reads and answers about questions to people."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from workflows.api.fields import AnyField, TextField
from workflows.models import Question

_NAMES = {"type": "array", "items": {"type": "string"}}


class QuestionSerializer(serializers.ModelSerializer[Question]):
    """A question that a run asks people; `form` is the JSON Schema of its answer, if it has one."""

    run = serializers.UUIDField(source="run_id")
    workflow = serializers.CharField(source="run.workflow_name")
    form = serializers.SerializerMethodField()
    groups = serializers.SerializerMethodField()
    users = serializers.SerializerMethodField()
    due_at = serializers.DateTimeField(source="wake_at", allow_null=True)
    closed_at = serializers.DateTimeField(source="over_at", allow_null=True)
    closed_by = serializers.SerializerMethodField()

    class Meta:
        model = Question
        fields = (
            "id",
            "run",
            "workflow",
            "node",
            "prompt",
            "form",
            "groups",
            "users",
            "state",
            "opened_at",
            "due_at",
            "closed_at",
            "closed_by",
        )
        read_only_fields = fields

    @extend_schema_field({"type": ["object", "boolean", "null"]})
    def get_form(self, question: Question) -> Any:
        return question.data["form"]

    @extend_schema_field(_NAMES)
    def get_groups(self, question: Question) -> list[str]:
        return sorted(row.name for row in question.addressees.all() if row.is_group)

    @extend_schema_field(_NAMES)
    def get_users(self, question: Question) -> list[str]:
        return sorted(row.name for row in question.addressees.all() if not row.is_group)

    def get_closed_by(self, question: Question) -> str | None:
        return question.answered_by or question.resolved_by or None


class AnsweredSerializer(serializers.Serializer[None]):
    """What an answer did."""

    question = serializers.UUIDField()
    run = serializers.UUIDField()
    node = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField()


class QuestionAnswerSerializer(serializers.Serializer[None]):
    """The body of an answer."""

    data = AnyField(help_text="The answer, which fits the question's `form`.")  # type: ignore[assignment]  # a field, not the property


class QuestionQuery(serializers.Serializer[None]):
    """Filters of the list of questions; all of them must hold."""

    run = serializers.UUIDField(required=False, help_text="Only of this run.")
    workflow = TextField(required=False, max_length=200)
