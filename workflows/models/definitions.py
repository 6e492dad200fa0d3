"""Workflows and their immutable published versions."""

from django.conf import settings
from django.db import models

from workflows.models.fields import PlainJSONField


class Workflow(models.Model):
    """A named definition; what it does is in its versions."""

    name = models.CharField(max_length=200, unique=True)
    title = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)
        permissions = (
            ("publish_workflow", "Can publish versions of workflows"),
            ("publish_trusted_code", "Can publish `code` nodes that run inside of the workers"),
        )

    def __str__(self) -> str:
        return self.name


class WorkflowVersion(models.Model):
    """One published form of a workflow; never changed, never deleted while a run uses it."""

    workflow = models.ForeignKey(Workflow, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    document = PlainJSONField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ("workflow", "-number")
        constraints = (
            models.UniqueConstraint(fields=("workflow", "number"), name="version_number_once"),
            models.UniqueConstraint(fields=("workflow", "digest"), name="version_digest_once"),
        )

    def __str__(self) -> str:
        return f"{self.workflow.name} v{self.number}"
