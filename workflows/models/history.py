"""What every node did, attempt by attempt; never changed."""

from django.db import models
from django.db.models import Q

from workflows.models.fields import PlainJSONField
from workflows.models.runs import Run, Thread


class NodeExecution(models.Model):
    """One attempt of one node by one thread. A completed step can be recorded only once."""

    # No constraints on run and thread: a run is deleted as a whole, and they cost every step.
    run = models.ForeignKey(
        Run, models.CASCADE, related_name="history", db_index=False, db_constraint=False
    )
    thread = models.ForeignKey(
        Thread, models.CASCADE, related_name="history", db_index=False, db_constraint=False
    )
    seq = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField()
    node = models.CharField(max_length=80)
    kind = models.CharField(max_length=40)
    came_from = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=10)  # completed, failed, lost
    input = PlainJSONField(null=True)
    output = PlainJSONField(null=True)
    error = PlainJSONField(null=True)
    is_end = models.BooleanField(default=False)  # its output may be the run's
    # What undoes this step: `{activity, input}`, or `{activity, error}` when there is no input.
    compensation = PlainJSONField(null=True)
    compensates = models.BigIntegerField(null=True)  # the row of the step that this one has undone
    worker = models.CharField(max_length=100, blank=True)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("thread", "seq", "attempt"),
                name="history_failure_once",
                condition=Q(status="failed"),
            ),
            models.UniqueConstraint(
                fields=("thread", "seq"),
                name="history_step_once",
                condition=Q(status="completed"),
            ),
            models.UniqueConstraint(
                fields=("thread", "seq", "attempt"),
                name="history_loss_once",
                condition=Q(status="lost"),
            ),
            models.UniqueConstraint(
                fields=("compensates",),
                name="history_compensated_once",
                condition=Q(compensates__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=("run", "id"), name="history_of_run"),
            models.Index(
                fields=("run", "id"),
                name="history_compensable",
                condition=Q(compensation__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.node} {self.status}"
