"""Messages from outside, each kept once."""

from django.db import models
from django.db.models import Q

from workflows.models.fields import PlainJSONField
from workflows.models.suspensions import Suspension


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


class Candidate(models.Model):
    """A wait that an event has still to be offered to: at once there was no time for it.

    Those of one type and key are taken in the order of their ids; `due_at` is when a message for
    the first of them is sent again. For a wait that opened after the event had come (`is_early`),
    it is an early event: nobody must have taken it.
    """

    event = models.ForeignKey(Event, models.CASCADE, related_name="candidates")
    suspension = models.ForeignKey(Suspension, models.CASCADE, related_name="candidates")
    is_early = models.BooleanField()
    due_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("event", "suspension"), name="candidate_once"),
        )

    def __str__(self) -> str:
        return f"event {self.event_id} for wait {self.suspension_id}"
