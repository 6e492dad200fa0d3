"""Sleeping threads: what each waits for, and who woke it."""

import uuid

from django.db import models
from django.db.models import Q

from workflows.models.fields import PlainJSONField
from workflows.models.runs import Run, Thread
from workflows.states import SuspensionState


class Suspension(models.Model):
    """One wait of one thread: a timer, an event, or a person; over exactly once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Both are indexed below.
    run = models.ForeignKey(Run, models.CASCADE, related_name="suspensions", db_index=False)
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="suspensions", db_index=False)
    seq = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField(default=1)
    node = models.CharField(max_length=80)
    kind = models.CharField(max_length=10)  # timer, event, person, child, task, lock, relock
    state = models.CharField(
        max_length=10,
        default=SuspensionState.OPEN,
        choices=[(s.value, s.value) for s in SuspensionState],
    )
    event_type = models.CharField(max_length=200, blank=True)
    event_key = models.CharField(max_length=500, blank=True)
    event_filter = models.TextField(blank=True)
    collect = models.PositiveIntegerField(default=1)
    collected = PlainJSONField(default=list)
    input = PlainJSONField(null=True)  # what the node was called with, for its history
    # What was asked of whom, by the kind; the engine's own questions keep the answer here as well.
    data = PlainJSONField(null=True)
    # Of a question that waits in the queue of a family of runs: the run at its top, its place, and
    # whether it is this one's turn. Of a task: whether its message was sent.
    family = models.UUIDField(null=True)
    turn = models.PositiveIntegerField(null=True)
    is_asked = models.BooleanField(default=True)
    due_in = models.DurationField(null=True)  # counts from being asked
    prompt = models.TextField(blank=True)  # what the engine itself asks; a plug-in has its own rows
    wake_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    over_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=10, blank=True)
    answered_by = models.CharField(max_length=200, blank=True)
    answer_key = models.CharField(max_length=200, blank=True)
    answer_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("thread", "seq", "attempt", "kind"), name="suspension_once_an_attempt"
            ),
            models.CheckConstraint(
                name="suspension_state_known",
                condition=Q(state__in=[s.value for s in SuspensionState]),
            ),
            models.CheckConstraint(
                name="suspension_over_at_when_over",
                condition=Q(state="open", over_at__isnull=True)
                | (~Q(state="open") & Q(over_at__isnull=False)),
            ),
        )
        indexes = (
            models.Index(
                fields=("event_type", "event_key", "opened_at"),
                name="suspension_match",
                condition=Q(state="open", kind="event"),
            ),
            models.Index(
                fields=("wake_at",),
                name="suspension_due",
                condition=Q(state="open", wake_at__isnull=False),
            ),
            models.Index(fields=("run",), name="suspension_of_run"),
            models.Index(
                fields=("family", "turn"),
                name="suspension_question",
                condition=Q(state="open", family__isnull=False),
            ),
            models.Index(
                fields=("opened_at", "id"),
                name="suspension_asked",
                condition=Q(state="open", is_asked=True) & ~Q(prompt=""),
            ),
            models.Index(
                fields=("opened_at",),
                name="suspension_unsent",
                condition=Q(state="open", kind="task", is_asked=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} wait at {self.node}"


class QuestionAddressee(models.Model):
    """One group or person, by name, that a question is for; members are looked up late."""

    suspension = models.ForeignKey(
        Suspension, models.CASCADE, related_name="addressees", db_index=False
    )
    is_group = models.BooleanField()
    name = models.CharField(max_length=150)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("suspension", "is_group", "name"), name="question_addressee_once"
            ),
        )

    def __str__(self) -> str:
        return f"group {self.name}" if self.is_group else self.name


class Question(Suspension):
    """A suspension that asks a person something, for the admin."""

    class Meta:
        proxy = True
        ordering = ("opened_at", "id")
        default_permissions = ()
        permissions = (("answer_question", "Can answer every question of runs"),)

    def __str__(self) -> str:
        return self.prompt
