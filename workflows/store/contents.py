"""Large contexts: the storage in the database, and the removal of those that nothing refers to."""

from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.db import connection
from django.db.models import Exists, OuterRef

from workflows import clock, contents
from workflows.models import Content, Run, StoredText, Thread, ThreadGroup


class DatabaseStorage(Storage):
    """Texts as rows of a table: what every host can reach that can reach the database."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:  # noqa: ARG002
        """Return the name itself: the same name is the same text."""
        return name

    def exists(self, name: str) -> bool:
        return StoredText.objects.filter(pk=name).exists()

    def size(self, name: str) -> int:
        return int(self._row(name, "size"))

    def delete(self, name: str) -> None:
        StoredText.objects.filter(pk=name).delete()

    def get_created_time(self, name: str) -> datetime:
        found: datetime = self._row(name, "created_at")
        return found

    get_modified_time = get_created_time

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            message = f"what is kept by its hash is never changed (mode {mode!r})"
            raise ValueError(message)
        return ContentFile(self._row(name, "text").encode(), name=name)

    def _save(self, name: str, content: File[Any]) -> str:
        data: bytes = content.read()
        row = StoredText(name=name, text=data.decode(), size=len(data), created_at=clock.now())
        StoredText.objects.bulk_create([row], ignore_conflicts=True)
        return name

    def _row(self, name: str, field: str) -> Any:
        found = StoredText.objects.filter(pk=name).values_list(field, flat=True).first()
        if found is None:
            raise FileNotFoundError(name)
        return found


def perhaps_unused(limit: int) -> list[str]:
    """Return the digests of contents that were not known to be in use for the grace."""
    rows = Content.objects.filter(used_at__lt=clock.now() - contents.grace())
    return list(rows.order_by("used_at").values_list("digest", flat=True)[:limit])


def remove_unused(digest: str) -> bool:
    """Remove a content if no row refers to it; False when one does, or somebody uses it just now.

    Call it in a transaction. Whoever keeps the same text meanwhile waits for the lock, and then
    finds neither row nor text. One that is referred to is not looked at again for the grace.
    """
    rows = Content.objects.filter(pk=digest, used_at__lt=clock.now() - contents.grace())
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    content = rows.first()
    if content is None:
        return False
    # A statement after the lock: what was committed before it is seen.
    if _is_referred_to(digest):
        Content.objects.filter(pk=digest).update(used_at=clock.now())
        return False
    contents.storage().delete(contents.name_of(digest))
    content.delete()
    return True


def _is_referred_to(digest: str) -> bool:
    own = OuterRef("digest")
    places = (
        Exists(Thread.objects.filter(context_digest=own))
        | Exists(Run.objects.filter(input_digest=own))
        | Exists(Run.objects.filter(output_digest=own))
        | Exists(ThreadGroup.objects.filter(base_digest=own))
    )
    return Content.objects.filter(places, pk=digest).exists()
