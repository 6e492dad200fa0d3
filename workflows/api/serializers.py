"""What the API answers: explicit fields, and none of a model by accident."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from workflows.api.fields import ToleranceField
from workflows.api.lock_serializers import ObstacleSerializer
from workflows.models import (
    Event,
    NodeExecution,
    Run,
    Suspension,
    Workflow,
    WorkflowVersion,
)
from workflows.selectors.families import children_of
from workflows.selectors.locks import obstacles
from workflows.selectors.runs import progress_of, shown_value, waits_of
from workflows.selectors.threads import thread_counts

#: A run can wait at ten thousand places; the oldest are shown, and `threads` has the number.
WAITS_SHOWN = 100
CHILDREN_SHOWN = 100

_OBJECT = {"type": "object", "additionalProperties": True}


class WorkflowSerializer(serializers.ModelSerializer[Workflow]):
    """A workflow and its newest version."""

    latest = serializers.IntegerField(allow_null=True)
    digest = serializers.CharField(source="latest_digest", allow_null=True)
    published_at = serializers.DateTimeField(source="latest_at", allow_null=True)

    class Meta:
        model = Workflow
        fields = ("name", "title", "latest", "digest", "published_at", "created_at")
        read_only_fields = fields


class VersionSerializer(serializers.ModelSerializer[WorkflowVersion]):
    """One published version, without its document."""

    workflow = serializers.CharField(source="workflow.name")
    published_by = serializers.SerializerMethodField()

    class Meta:
        model = WorkflowVersion
        fields: tuple[str, ...] = (
            "workflow",
            "number",
            "digest",
            "published_at",
            "published_by",
        )
        read_only_fields = fields

    def get_published_by(self, version: WorkflowVersion) -> str | None:
        return version.published_by.get_username() if version.published_by else None


class DocumentSerializer(VersionSerializer):
    """One published version with its document."""

    document = serializers.SerializerMethodField()

    class Meta(VersionSerializer.Meta):
        fields = (*VersionSerializer.Meta.fields, "document")
        read_only_fields = fields

    @extend_schema_field(_OBJECT)
    def get_document(self, version: WorkflowVersion) -> Any:
        return version.document


class WarningSerializer(serializers.Serializer[None]):
    """What the compiler warns of in a document that it takes."""

    code = serializers.CharField()
    message = serializers.CharField()
    pointer = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    column = serializers.IntegerField(allow_null=True)
    severity = serializers.CharField()


class PublishedSerializer(VersionSerializer):
    """The version that a document is, new or not."""

    is_new = serializers.BooleanField()
    warnings = WarningSerializer(many=True)

    class Meta(VersionSerializer.Meta):
        fields = (*VersionSerializer.Meta.fields, "is_new", "warnings")
        read_only_fields = fields


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run as a row of the list."""

    workflow = serializers.CharField(source="workflow_name")
    version = serializers.IntegerField(source="version.number")
    parent = serializers.UUIDField(source="parent_id", allow_null=True)  # type: ignore[assignment]  # a field
    root = serializers.SerializerMethodField()  # type: ignore[assignment]  # likewise
    started_by = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields: tuple[str, ...] = (
            "id",
            "workflow",
            "version",
            "key",
            "status",
            "result",
            "reason",
            "parent",
            "root",
            "depth",
            "started_by",
            "created_at",
            "deadline_at",
            "ended_at",
        )
        read_only_fields = fields

    @extend_schema_field({"type": "string", "format": "uuid"})
    def get_root(self, run: Run) -> str:
        return str(run.root_id or run.pk)

    def get_started_by(self, run: Run) -> str | None:
        return run.started_by.get_username() if run.started_by else None


class WaitSerializer(serializers.ModelSerializer[Suspension]):
    """One thing that a run waits for; `until` is when its timer wakes it."""

    thread = serializers.IntegerField(source="thread_id")
    since = serializers.DateTimeField(source="opened_at")
    until = serializers.DateTimeField(source="wake_at", allow_null=True)
    collected = serializers.SerializerMethodField()
    locks = serializers.SerializerMethodField()

    class Meta:
        model = Suspension
        fields = (
            "id",
            "thread",
            "node",
            "kind",
            "since",
            "until",
            "event_type",
            "event_key",
            "collect",
            "collected",
            "locks",
        )
        read_only_fields = fields

    def get_collected(self, wait: Suspension) -> int:
        return len(wait.collected)

    @extend_schema_field(ObstacleSerializer(many=True))
    def get_locks(self, wait: Suspension) -> Any:
        return ObstacleSerializer(obstacles(wait), many=True).data


class GroupSerializer(serializers.Serializer[Any]):
    """How far one split is."""

    id = serializers.UUIDField()
    node = serializers.CharField()
    state = serializers.CharField()
    expected = serializers.IntegerField(help_text="Parts in all.")
    over = serializers.IntegerField(help_text="Parts that are over.")
    failed = serializers.IntegerField(help_text="Parts that have failed.")
    parallel = serializers.IntegerField(help_text="Parts at once; 0 is no limit.")
    tolerate = ToleranceField(allow_null=True, help_text="Parts that may fail; none if null.")
    opened_at = serializers.DateTimeField()


class ThreadsSerializer(serializers.Serializer[None]):
    """How many threads are where."""

    total = serializers.IntegerField()
    moving = serializers.IntegerField()
    suspended = serializers.IntegerField()
    joining = serializers.IntegerField()
    over = serializers.IntegerField()


class ChildSerializer(RunSerializer):
    """A child run, and the node that has started it."""

    node = serializers.CharField(source="asked_by.node", allow_null=True, default=None)

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "node")
        read_only_fields = fields


class RunDetailSerializer(RunSerializer):
    """A run in full; of many children the oldest are here, the list has all by `parent`."""

    input = serializers.SerializerMethodField()
    output = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    waits = serializers.SerializerMethodField()
    groups = serializers.SerializerMethodField()
    threads = serializers.SerializerMethodField()
    children = serializers.SerializerMethodField()

    class Meta(RunSerializer.Meta):
        fields = (
            *RunSerializer.Meta.fields,
            "input",
            "output",
            "error",
            "waits",
            "groups",
            "threads",
            "children",
        )
        read_only_fields = fields

    @extend_schema_field(_OBJECT)
    def get_input(self, run: Run) -> Any:
        return shown_value(lambda: run.input)

    @extend_schema_field({})
    def get_output(self, run: Run) -> Any:
        return shown_value(lambda: run.output)

    @extend_schema_field({**_OBJECT, "type": ["object", "null"]})
    def get_error(self, run: Run) -> Any:
        return run.error

    @extend_schema_field(WaitSerializer(many=True))
    def get_waits(self, run: Run) -> Any:
        return WaitSerializer(waits_of(run)[:WAITS_SHOWN], many=True).data

    @extend_schema_field(GroupSerializer(many=True))
    def get_groups(self, run: Run) -> Any:
        return GroupSerializer(progress_of(run), many=True).data

    @extend_schema_field(ThreadsSerializer)
    def get_threads(self, run: Run) -> Any:
        return asdict(thread_counts(run))

    @extend_schema_field(ChildSerializer(many=True))
    def get_children(self, run: Run) -> Any:
        return ChildSerializer(children_of(run)[:CHILDREN_SHOWN], many=True).data


class StartedSerializer(RunDetailSerializer):
    """The run of a start; `is_new` is false when the key has started it before."""

    is_new = serializers.BooleanField()

    class Meta(RunDetailSerializer.Meta):
        fields = (*RunDetailSerializer.Meta.fields, "is_new")
        read_only_fields = fields


class HistorySerializer(serializers.ModelSerializer[NodeExecution]):
    """One attempt of one node."""

    thread = serializers.IntegerField(source="thread_id")
    input = serializers.SerializerMethodField()
    output = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    class Meta:
        model = NodeExecution
        fields = (
            "id",
            "thread",
            "seq",
            "attempt",
            "node",
            "kind",
            "came_from",
            "status",
            "input",
            "output",
            "error",
            "worker",
            "queued_at",
            "started_at",
            "ended_at",
        )
        read_only_fields = fields

    @extend_schema_field({})
    def get_input(self, step: NodeExecution) -> Any:
        return step.input

    @extend_schema_field({})
    def get_output(self, step: NodeExecution) -> Any:
        return step.output

    @extend_schema_field({})
    def get_error(self, step: NodeExecution) -> Any:
        return step.error


class MissSerializer(serializers.Serializer[None]):
    """A wait that an event did not wake, and why."""

    suspension = serializers.CharField()
    why = serializers.CharField()


class EventSerializer(serializers.ModelSerializer[Event]):
    """An event as it was received: what it woke, and why others were not woken.

    `unasked` has the ids of the waits that it has still to be offered to: the filters before them
    took too long to look at all of them at once.
    """

    id = serializers.CharField(source="external_id")
    data = serializers.SerializerMethodField()  # type: ignore[assignment]  # a field
    woke = serializers.SerializerMethodField()
    misses = serializers.SerializerMethodField()
    unasked = serializers.SerializerMethodField()

    class Meta:
        model = Event
        fields: tuple[str, ...] = (
            "id",
            "source",
            "type",
            "key",
            "data",
            "deliver",
            "time",
            "received_at",
            "expires_at",
            "taken_at",
            "woke",
            "misses",
            "unasked",
        )
        read_only_fields = fields

    @extend_schema_field({})
    def get_data(self, event: Event) -> Any:
        return event.data

    @extend_schema_field({"type": "array", "items": {"type": "string", "format": "uuid"}})
    def get_woke(self, event: Event) -> Any:
        return event.taken_by

    @extend_schema_field(MissSerializer(many=True))
    def get_misses(self, event: Event) -> Any:
        return event.misses

    @extend_schema_field({"type": "array", "items": {"type": "string", "format": "uuid"}})
    def get_unasked(self, event: Event) -> Any:
        return [str(candidate.suspension_id) for candidate in event.candidates.all()]


class ReceiptSerializer(serializers.Serializer[Any]):
    """What became of an event; `woke` has the ids of the waits that it woke or fed."""

    id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field
    type = serializers.CharField()
    key = serializers.CharField()
    is_new = serializers.BooleanField()
    woke = serializers.ListField(child=serializers.UUIDField())
    received_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class TokenSerializer(serializers.Serializer[Any]):
    """A token, told this once: it is kept as a hash."""

    token = serializers.CharField()
    expiry = serializers.DateTimeField()
