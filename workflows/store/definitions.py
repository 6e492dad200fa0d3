"""Published versions: written once, read by every worker."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.db import models

from workflows import clock
from workflows.errors import NotFoundError, suggest
from workflows.models import Workflow, WorkflowVersion
from workflows.store import statements


def insert_version(
    name: str, *, title: str, digest: str, document: Any, user_id: int | None
) -> tuple[WorkflowVersion, bool]:
    """Add a version unless the same content stands already; return it and whether it is new."""
    now = clock.now()
    workflow, is_first = Workflow.objects.get_or_create(
        name=name, defaults={"title": title, "created_at": now}
    )
    last = 0
    if not is_first:  # else nobody knows of it before this commit
        # The lock makes two publishers take numbers one after the other.
        workflow = Workflow.objects.select_for_update(no_key=True).get(pk=workflow.pk)
        standing = workflow.versions.filter(digest=digest).first()
        if standing is not None:
            return standing, False
        last = workflow.versions.aggregate(last=models.Max("number"))["last"] or 0
        if workflow.title != title:
            Workflow.objects.filter(pk=workflow.pk).update(title=title)
    version = WorkflowVersion.objects.create(
        workflow=workflow,
        number=last + 1,
        digest=digest,
        document=document,
        published_at=now,
        published_by_id=user_id,
    )
    return version, True


def version_of(name: str, number: int | None) -> WorkflowVersion:
    """Return a version of a workflow, the newest when no number is given."""
    if number is None and statements.has_fused_statements():
        for version_id, digest in statements.run("newest_version", {"name": name}):
            return known_version(version_id, digest)
    versions = WorkflowVersion.objects.select_related("workflow").filter(workflow__name=name)
    chosen = versions.filter(number=number) if number else versions
    found = chosen.order_by("-number").first()
    if found is not None:
        return found
    if number and versions.exists():
        message = f"Workflow {name!r} has no version {number}."
        raise NotFoundError(message)
    names = set(Workflow.objects.values_list("name", flat=True))
    message = f"There is no workflow {name!r}{suggest(name, names)}."
    raise NotFoundError(message)


def newest_numbers() -> dict[str, int]:
    """Return every workflow with the number of its newest version."""
    rows = Workflow.objects.annotate(newest=models.Max("versions__number"))
    return dict(rows.filter(newest__isnull=False).values_list("name", "newest"))


def standing(contents: Mapping[str, str]) -> set[str]:
    """Return those of the workflows (name: digest) that have a version of this content."""
    rows = WorkflowVersion.objects.filter(workflow__name__in=list(contents))
    found = rows.filter(digest__in=contents.values()).values_list("workflow__name", "digest")
    return {name for name, digest in found if contents[name] == digest}


@lru_cache(maxsize=200)
def known_version(version_id: int, _digest: str) -> WorkflowVersion:
    """Return a version without asking for its document again; a version never changes."""
    return WorkflowVersion.objects.select_related("workflow").get(pk=version_id)


def load_document(version_id: int) -> Any:
    """Return the JSON document of a version."""
    return WorkflowVersion.objects.values_list("document", flat=True).get(pk=version_id)
