"""What the API reads and answers."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from approvals.models import ApprovalRequest, Choice, RequestStatus, Vote
from workflows.api.fields import ChoiceField, ObjectField, TextField

_NAMES = {"type": "array", "items": {"type": "string"}}
_OBJECT = {"type": "object", "additionalProperties": True}
_OBJECT_OR_NULL = {"type": ["object", "null"], "additionalProperties": True}


class ApprovalVoteSerializer(serializers.ModelSerializer[Vote]):
    """One person's answer."""

    user = serializers.CharField(source="username")
    form = serializers.SerializerMethodField()

    class Meta:
        model = Vote
        fields = ("user", "group", "decision", "comment", "form", "at")
        read_only_fields = fields

    @extend_schema_field(_OBJECT)
    def get_form(self, vote: Vote) -> Any:
        return vote.form


class ApprovalSerializer(serializers.ModelSerializer[ApprovalRequest]):
    """A request as people may see it; `may_decide` is about the one who asks the API."""

    workflow = serializers.CharField(source="workflow_name")
    run = serializers.UUIDField(source="run_id")
    requester = serializers.SerializerMethodField()
    groups = serializers.SerializerMethodField()
    users = serializers.SerializerMethodField()
    form = serializers.SerializerMethodField()
    shown = serializers.SerializerMethodField()
    decision = serializers.SerializerMethodField()
    may_decide = serializers.BooleanField(read_only=True)
    votes = ApprovalVoteSerializer(many=True, read_only=True)

    class Meta:
        model = ApprovalRequest
        fields = (
            *("id", "title", "status", "workflow", "run", "node", "requester", "groups", "users"),
            *("need", "shown", "form", "may_decide", "opened_at", "due_at", "closed_at"),
            *("closed_by", "decision", "votes"),
        )
        read_only_fields = fields

    def get_requester(self, asked: ApprovalRequest) -> str | None:
        return asked.requester.get_username() if asked.requester else None

    @extend_schema_field(_NAMES)
    def get_groups(self, asked: ApprovalRequest) -> list[str]:
        return asked.groups

    @extend_schema_field(_NAMES)
    def get_users(self, asked: ApprovalRequest) -> list[str]:
        return asked.users

    @extend_schema_field(_OBJECT_OR_NULL)
    def get_form(self, asked: ApprovalRequest) -> Any:
        return asked.form

    @extend_schema_field(_OBJECT)
    def get_shown(self, asked: ApprovalRequest) -> Any:
        return asked.shown

    @extend_schema_field(_OBJECT_OR_NULL)
    def get_decision(self, asked: ApprovalRequest) -> Any:
        return asked.decision


class ApprovalFilterSerializer(serializers.Serializer[None]):
    """Query parameters of the list; all of them must hold."""

    status = ChoiceField(choices=RequestStatus.choices, required=False)
    mine = serializers.BooleanField(
        required=False, default=False, help_text="Only open requests that you may decide now."
    )
    workflow = serializers.CharField(required=False, max_length=200)
    run = serializers.UUIDField(required=False)


class ApprovalDecisionSerializer(serializers.Serializer[None]):
    """The body of a decision."""

    decision = ChoiceField(choices=Choice.choices)
    comment = TextField(required=False, default="", allow_blank=True, max_length=10_000)
    form = ObjectField(required=False, help_text="What the request's `form` asks for.")


class ApprovalResultSerializer(serializers.Serializer[None]):
    """What a vote did; `status` is the request's status as the vote left it."""

    request = serializers.UUIDField()
    decision = ChoiceField(choices=Choice.choices)
    status = ChoiceField(choices=RequestStatus.choices)
    by = serializers.CharField()
    at = serializers.DateTimeField()
