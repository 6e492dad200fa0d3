"""Contexts that are too large for a row."""

from django.db import models


class Content(models.Model):
    """One large context, in whatever storage: this row is locked to keep it or to remove it."""

    digest = models.CharField(max_length=64, primary_key=True)  # SHA-256 of the text
    size = models.PositiveIntegerField()  # in bytes
    used_at = models.DateTimeField(db_index=True)  # when it was last known to be in use

    def __str__(self) -> str:
        return self.digest


class StoredText(models.Model):
    """A text of the storage in the database, which is used when there is no other."""

    name = models.CharField(max_length=100, primary_key=True)
    text = models.TextField()
    size = models.PositiveIntegerField()  # in bytes
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
