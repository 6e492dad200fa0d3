"""Secrets that nodes name and never show."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from workflows.definition.model import SECRET_NAME
from workflows.models.fields import PlainJSONField


class Secret(models.Model):
    """A value that is sent to other systems: encrypted here, read by workers only.

    `hosts` are where it may be sent, as patterns of the HTTP_HOSTS setting; anywhere when empty.
    """

    name = models.CharField(max_length=100, unique=True, validators=[RegexValidator(SECRET_NAME)])
    sealed = models.TextField(editable=False)
    hosts = PlainJSONField(default=list, blank=True)
    updated_at = models.DateTimeField(editable=False)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
