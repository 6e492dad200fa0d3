"""Runs and their threads."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from workflows.models.definitions import WorkflowVersion
from workflows.models.fields import ContextField, PlainJSONField, digest_of
from workflows.models.groups import ThreadGroup
from workflows.states import RUN_FINAL, RunStatus, ThreadState

_FINAL = tuple(sorted(RUN_FINAL))


class Run(models.Model):
    """One execution of a version. Final exactly when its root thread has ended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(WorkflowVersion, models.PROTECT, related_name="runs")
    workflow_name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, null=True, blank=True)
    key_digest = models.CharField(max_length=64, blank=True)
    status = models.CharField(
        max_length=10, default=RunStatus.PENDING, choices=[(s.value, s.value) for s in RunStatus]
    )
    result = models.CharField(max_length=10, blank=True)
    reason = models.TextField(blank=True)
    input = ContextField()
    output = ContextField(null=True)
    error = PlainJSONField(null=True)
    depth = models.PositiveIntegerField(default=0)
    # Of a child run: the run and the wait that started it, the run at the top of all, what becomes
    # of it when the parent is cancelled, and the versions that the whole family was started with.
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="children")
    asked_by = models.ForeignKey(
        "workflows.Suspension", models.SET_NULL, null=True, related_name="children"
    )
    root_id = models.UUIDField(null=True)
    on_cancel = models.CharField(max_length=7, blank=True)  # cancel, abandon
    pins = PlainJSONField(null=True)  # workflow name: [version id, its digest]
    has_orphans = models.BooleanField(default=False)  # children that are still to be cancelled
    # Cancelled as soon as its finished steps are undone; its children are cancelled likewise.
    undoes = models.BooleanField(default=False, db_default=False)
    threads_made = models.PositiveBigIntegerField(default=0, db_default=0)  # by splits
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    deadline_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    input_digest = digest_of("input")
    output_digest = digest_of("output")

    class Meta:
        ordering = ("-created_at", "-id")
        permissions = (
            ("start_run", "Can start runs"),
            ("cancel_run", "Can cancel runs"),
            ("send_event", "Can send events to runs"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("workflow_name", "key"), name="run_key_once", condition=Q(key__isnull=False)
            ),
            models.CheckConstraint(
                name="run_status_known", condition=Q(status__in=[s.value for s in RunStatus])
            ),
            models.CheckConstraint(
                name="run_ended_when_final",
                condition=Q(status__in=_FINAL, ended_at__isnull=False)
                | (~Q(status__in=_FINAL) & Q(ended_at__isnull=True)),
            ),
        )
        indexes = (
            models.Index(fields=("-created_at", "-id"), name="run_newest"),
            models.Index(fields=("status", "-created_at"), name="run_by_status"),
            models.Index(fields=("created_at",), name="run_orphans", condition=Q(has_orphans=True)),
            models.Index(
                fields=("deadline_at",), name="run_deadline", condition=Q(deadline_at__isnull=False)
            ),
            models.Index(
                fields=("input_digest",),
                name="run_input_kept",
                condition=Q(input_digest__isnull=False),
            ),
            models.Index(
                fields=("output_digest",),
                name="run_output_kept",
                condition=Q(output_digest__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.workflow_name} {self.id}"


class Thread(models.Model):
    """One cursor through the graph; `(id, seq)` is what every transition compares and sets.

    `context` is null while it can be derived: a member of a group that has not committed a step
    takes it from the owner of the group and its own index.
    """

    # Indexed below, the group together with the index of the part.
    run = models.ForeignKey(Run, models.CASCADE, related_name="threads", db_index=False)
    group = models.ForeignKey(
        ThreadGroup, models.CASCADE, null=True, related_name="threads", db_index=False
    )
    idx = models.PositiveIntegerField(default=0)
    state = models.CharField(
        max_length=10, default=ThreadState.READY, choices=[(s.value, s.value) for s in ThreadState]
    )
    node = models.CharField(max_length=80)
    came_from = models.CharField(max_length=80, blank=True)
    seq = models.PositiveIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    context = ContextField(null=True)
    resume = PlainJSONField(null=True)
    contribution = PlainJSONField(null=True)  # {"value": ...}, or {"error": ...} of a failed part
    frames = PlainJSONField(null=True)  # the loops and locks that the thread is inside of
    joined_steps = models.PositiveBigIntegerField(default=0, db_default=0)  # of its joined groups
    queue = models.CharField(max_length=80, default="workflows")
    priority = models.PositiveSmallIntegerField(default=5)
    wake_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=100, null=True)
    claimed_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField()
    context_digest = digest_of("context")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("group", "idx"), name="thread_index_once", condition=Q(group__isnull=False)
            ),
            models.CheckConstraint(
                name="thread_state_known", condition=Q(state__in=[s.value for s in ThreadState])
            ),
            models.CheckConstraint(
                name="thread_leased_while_running",
                condition=~Q(state=ThreadState.RUNNING) | Q(lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="thread_queued_in_group",
                condition=~Q(state=ThreadState.QUEUED) | Q(group__isnull=False),
            ),
        )
        indexes = (
            models.Index(
                fields=("group", "idx"), name="thread_queued", condition=Q(state="queued")
            ),
            models.Index(
                fields=("context_digest",),
                name="thread_context_kept",
                condition=Q(context_digest__isnull=False),
            ),
            models.Index(
                fields=("group",),
                name="thread_standing",
                condition=Q(
                    state__in=("queued", "ready", "running", "suspended", "joining"),
                    group__isnull=False,
                ),
            ),
            models.Index(
                fields=("group",),
                name="thread_failed",
                condition=Q(state="failed", group__isnull=False),
            ),
            models.Index(F("wake_at"), name="thread_due", condition=Q(state="ready")),
            models.Index(fields=("queue",), name="thread_running", condition=Q(state="running")),
            models.Index(fields=("run",), name="thread_of_run"),
        )

    def __str__(self) -> str:
        return f"thread {self.pk} at {self.node}"
