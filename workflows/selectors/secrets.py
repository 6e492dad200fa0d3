"""Which secrets there are; their values are for workers only."""

from django.db.models import QuerySet

from workflows.models import Secret


def secrets() -> QuerySet[Secret]:
    """Return the secrets by name, without what is kept of their values."""
    return Secret.objects.defer("sealed").select_related("updated_by")
