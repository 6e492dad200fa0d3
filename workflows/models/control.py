"""Rows that keep the machinery in step: leases, rates, answered requests."""

from django.db import models

from workflows.models.fields import PlainJSONField


class Lease(models.Model):
    """Who may do a job that only one process at a time may do, and until when."""

    name = models.CharField(max_length=80, primary_key=True)
    owner = models.CharField(max_length=100, blank=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class QueueState(models.Model):
    """A rate-limited queue: `next_at` is when its next unreserved token falls due."""

    name = models.CharField(max_length=80, primary_key=True)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class IdempotencyRecord(models.Model):
    """The first answer to a POST, kept to answer its repetitions."""

    principal = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    response = PlainJSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("principal", "key"), name="request_once"),)

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"
