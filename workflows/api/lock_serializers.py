"""What the API answers about locks."""

from typing import Any

from rest_framework import serializers

from workflows.models import LockClaim


class HolderSerializer(serializers.ModelSerializer[LockClaim]):
    """Who holds a lock."""

    run = serializers.UUIDField(source="run_id")
    workflow = serializers.CharField(source="run.workflow_name")
    since = serializers.DateTimeField(source="held_at")

    class Meta:
        model = LockClaim
        fields = ("run", "workflow", "node", "since")
        read_only_fields = fields


class ObstacleSerializer(serializers.Serializer[Any]):
    """A lock that is waited for: its `holders`, the oldest of them, how many wait `before`."""

    name = serializers.CharField()
    holders = serializers.IntegerField()
    held_by = HolderSerializer(many=True)
    before = serializers.IntegerField()
