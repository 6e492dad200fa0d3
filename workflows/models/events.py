"""Messages from outside, each kept once."""

from django.db import models
from django.db.models import Q

from workflows.models.fields import PlainJSONField


class Event(models.Model):
    """One event; `taken_at` is set when it woke somebody, `misses` says why others were not."""

    source = models.CharField(max_length=200)
    external_id = models.CharField(max_length=200)
    type = models.CharField(max_length=200)
    key = models.CharField(max_length=500, blank=True)
    data = PlainJSONField(null=True)
    digest = models.CharField(max_length=64)
    deliver = models.CharField(max_length=3, default="one")
    time = models.DateTimeField()
    received_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)  # null: emitted by a step, not yet matched
    taken_at = models.DateTimeField(null=True)
    taken_by = PlainJSONField(default=list)
    misses = PlainJSONField(default=list)

    class Meta:
        ordering = ("-received_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("source", "external_id"), name="event_once"),
        )
        indexes = (
            models.Index(
                fields=("type", "key", "received_at"),
                name="event_early",
                condition=Q(taken_at__isnull=True),
            ),
            models.Index(fields=("-received_at", "-id"), name="event_newest"),
            models.Index(
                fields=("received_at",),
                name="event_undelivered",
                condition=Q(delivered_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.external_id}"
