"""Workflows and their versions."""

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from workflows.errors import NotFoundError, suggest
from workflows.models import Workflow, WorkflowVersion


def workflows() -> QuerySet[Workflow]:
    """Return workflows by name; each has `latest`, `latest_digest`, `latest_at` of its newest."""
    newest = WorkflowVersion.objects.filter(workflow=OuterRef("pk")).order_by("-number")
    return Workflow.objects.annotate(
        latest=Subquery(newest.values("number")[:1]),
        latest_digest=Subquery(newest.values("digest")[:1]),
        latest_at=Subquery(newest.values("published_at")[:1]),
    ).order_by("name")


def newest_versions() -> QuerySet[WorkflowVersion]:
    """Return the newest version of each workflow, without its document."""
    later = WorkflowVersion.objects.filter(
        workflow=OuterRef("workflow"), number__gt=OuterRef("number")
    )
    return WorkflowVersion.objects.filter(~Exists(later)).defer("document").order_by("pk")


def workflow_by_name(name: str) -> Workflow:
    """Return a workflow. Raises NotFoundError with the nearest known name."""
    found = workflows().filter(name=name).first()
    if found is None:
        known = set(Workflow.objects.values_list("name", flat=True))
        message = f"There is no workflow {name!r}{suggest(name, known)}."
        raise NotFoundError(message)
    return found


def versions_of(name: str) -> QuerySet[WorkflowVersion]:
    """Return a workflow's versions, the newest first, without their documents."""
    versions = workflow_by_name(name).versions.select_related("workflow", "published_by")
    return versions.defer("document").order_by("-number")


def version_by_number(name: str, number: int) -> WorkflowVersion:
    """Return one version with its document. Raises NotFoundError."""
    found = versions_of(name).defer(None).filter(number=number).first()
    if found is None:
        message = f"Workflow {name!r} has no version {number}."
        raise NotFoundError(message)
    return found
