"""Tables of the approvals app: what was asked of whom, and who answered what.

Rows are written by `approvals.services` only. A request is one row and one short row for each
group or person it is addressed to, so that a run that waits for a decision stays small.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from workflows.models.fields import PlainJSONField

#: Longest idempotency key of one answer, in characters.
KEY_LENGTH = 200


class RequestStatus(models.TextChoices):
    """What became of a request; every status but `open` is final."""

    OPEN = "open", "Open"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    TIMED_OUT = "timed_out", "Timed out"
    CANCELLED = "cancelled", "Cancelled"


class Choice(models.TextChoices):
    """What one person can answer."""

    APPROVE = "approve", "Approve"
    REJECT = "reject", "Reject"


class ApprovalRequest(models.Model):
    """One question to people, opened by one sleeping thread.

    `need` is how many must agree: a number, `all`, or a percentage. `shown` is a snapshot of the
    context paths that the author chose to show; nothing else of the context is kept here.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    suspension_id = models.UUIDField(unique=True, editable=False)
    run = models.ForeignKey("workflows.Run", models.CASCADE, related_name="+")
    workflow_name = models.CharField("workflow", max_length=200)
    node = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    need = models.CharField(max_length=10, default="1")
    form = PlainJSONField(null=True, blank=True)
    shown = PlainJSONField(default=dict, blank=True)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    is_requester_barred = models.BooleanField("requester may not decide", default=True)
    status = models.CharField(
        max_length=10, default=RequestStatus.OPEN, choices=RequestStatus.choices
    )
    due_at = models.DateTimeField("due", null=True, blank=True)
    opened_at = models.DateTimeField("opened")
    closed_at = models.DateTimeField("closed", null=True, blank=True)
    closed_by = models.CharField(max_length=200, blank=True)
    decision = PlainJSONField(null=True, blank=True)

    class Meta:
        ordering = ("-opened_at", "-id")
        constraints = (
            models.CheckConstraint(
                name="approval_status_known", condition=Q(status__in=RequestStatus.values)
            ),
            models.CheckConstraint(
                name="approval_closed_at_when_closed",
                condition=Q(status="open", closed_at__isnull=True)
                | (~Q(status="open") & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="approval_decided_with_a_decision",
                condition=~Q(status__in=("approved", "rejected")) | Q(decision__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=("-opened_at", "-id"), name="approval_newest"),
            models.Index(
                fields=("-opened_at", "-id"), name="approval_open", condition=Q(status="open")
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def groups(self) -> list[str]:
        """Names of the groups that are asked, in alphabetical order."""
        return sorted(row.name for row in self.addressees.all() if row.is_group)

    @property
    def users(self) -> list[str]:
        """Names of the people who are asked by name, in alphabetical order."""
        return sorted(row.name for row in self.addressees.all() if not row.is_group)


class Addressee(models.Model):
    """One group or person, by name, that a request is addressed to; members are looked up late."""

    request = models.ForeignKey(
        ApprovalRequest, models.CASCADE, related_name="addressees", db_index=False
    )
    is_group = models.BooleanField()
    name = models.CharField(max_length=150)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("request", "is_group", "name"), name="approval_addressee_once"
            ),
        )

    def __str__(self) -> str:
        return f"group {self.name}" if self.is_group else self.name


class Vote(models.Model):
    """What one person answered, once; never changed afterwards.

    `status_after` is the status that the vote left the request in: with it a repeated delivery
    gets the first answer, whatever happened since.
    """

    request = models.ForeignKey(
        ApprovalRequest, models.CASCADE, related_name="votes", db_index=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    username = models.CharField(max_length=150)
    group = models.CharField(max_length=150, blank=True)  # through which the person may decide
    decision = models.CharField(max_length=10, choices=Choice.choices)
    comment = models.TextField(blank=True)
    form = PlainJSONField(default=dict)
    key = models.CharField(max_length=KEY_LENGTH, blank=True)
    status_after = models.CharField(max_length=10, choices=RequestStatus.choices)
    at = models.DateTimeField()

    class Meta:
        ordering = ("at", "id")
        constraints = (
            models.UniqueConstraint(fields=("request", "user"), name="approval_vote_once"),
            models.CheckConstraint(
                name="approval_vote_known", condition=Q(decision__in=Choice.values)
            ),
        )

    def __str__(self) -> str:
        return f"{self.username}: {self.decision}"
