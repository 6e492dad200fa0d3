"""Events as they were received: what each woke, and why others were not woken."""

from typing import Any

from django.db.models import QuerySet

from workflows.models import Event


def events(**filters: Any) -> QuerySet[Event]:
    """Return events, the newest first, by filters on `type`, `key`, `source`, `received_at`."""
    rows = Event.objects.filter(**filters).order_by("-received_at", "-id")
    return rows.prefetch_related("candidates")
