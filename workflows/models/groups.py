"""Groups (one fan-out, batch or map) and the slots that work on them."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from workflows.models.fields import ContextField, PlainJSONField, digest_of
from workflows.states import GroupState


class ThreadGroup(models.Model):
    """One split: its parts, its window, and whether it has been joined.

    Its id is the id of the Celery chord. There is no counter: a part is over when its row says so.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey("workflows.Run", models.CASCADE, related_name="groups")
    owner = models.ForeignKey("workflows.Thread", models.CASCADE, related_name="opened_groups")
    owner_seq = models.PositiveIntegerField()
    node = models.CharField(max_length=80)
    parts = PlainJSONField()
    merge = models.CharField(max_length=500, null=True)
    queue = models.CharField(max_length=80)
    expected = models.PositiveIntegerField()
    parallel = models.PositiveIntegerField(default=0)
    tolerate = PlainJSONField(null=True)  # {"count": n} or {"percent": p} of parts that may fail
    # Nodes that were executed in the run before it was opened, as far as its owner knows.
    steps_before = models.PositiveBigIntegerField(default=0, db_default=0)
    slots = models.PositiveIntegerField()
    # Of a group that is joined while parts of it go on: the context that they began with.
    base = ContextField(null=True)
    state = models.CharField(
        max_length=10, default=GroupState.OPEN, choices=[(s.value, s.value) for s in GroupState]
    )
    opened_at = models.DateTimeField()
    helped_at = models.DateTimeField(null=True)
    joined_at = models.DateTimeField(null=True)
    base_digest = digest_of("base")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("owner", "owner_seq"), name="group_once_a_step"),
            models.CheckConstraint(
                name="group_state_known", condition=Q(state__in=[s.value for s in GroupState])
            ),
            models.CheckConstraint(
                name="group_joined_at_when_joined",
                condition=Q(state="joined", joined_at__isnull=False)
                | (~Q(state="joined") & Q(joined_at__isnull=True)),
            ),
        )
        indexes = (
            models.Index(fields=("opened_at",), name="group_open", condition=Q(state="open")),
            models.Index(
                fields=("base_digest",),
                name="group_base_kept",
                condition=Q(base_digest__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"group {self.id} of {self.node}"

    @property
    def context(self) -> dict[str, Any]:
        """What its parts began with: its owner stands still until it is joined."""
        return (self.owner.context if self.base is None else self.base) or {}


class Slot(models.Model):
    """One part of a group's chord. `hop` orders its messages, `runs` counts its executions."""

    group = models.ForeignKey(ThreadGroup, models.CASCADE, related_name="+")
    idx = models.PositiveIntegerField()
    hop = models.PositiveIntegerField(default=0)
    runs = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("group", "idx"), name="slot_index_once"),)

    def __str__(self) -> str:
        return f"slot {self.idx} of {self.group_id}"
