"""Families of runs: a run, the children that it has started, and theirs."""

from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q, QuerySet

from workflows.models import Run
from workflows.states import RUN_FINAL


@dataclass(frozen=True, slots=True)
class Branch:
    """A run in a tree, and what is below it; `node` is the node that has started it."""

    run: Run
    node: str | None
    children: list["Branch"] = field(default_factory=list)


def children_of(run: Run) -> QuerySet[Run]:
    """Return the child runs of a run, the oldest first, each with the wait that started it."""
    rows = Run.objects.filter(parent=run).select_related("version", "started_by", "asked_by")
    return rows.order_by("created_at", "pk")


def is_family_over(run: Run) -> bool:
    """Tell whether a run at the top of its family, and every run below it, is final."""
    family = Run.objects.filter(Q(pk=run.pk) | Q(root_id=run.pk))
    return not family.exclude(status__in=RUN_FINAL).exists()


def tree_of(run: Run, most: int) -> tuple[Branch, int]:
    """Return the tree of runs below a run, at most `most` of them, and how many are left out.

    Level by level, so that what is left out is the deepest and the newest.
    """
    top = Branch(run, run.asked_by.node if run.asked_by else None)
    level: dict[UUID, Branch] = {run.pk: top}
    shown, left_out = 0, 0
    while level:
        rows = Run.objects.filter(parent_id__in=list(level))
        total = rows.count()
        rows = rows.select_related("version", "asked_by").order_by("created_at", "pk")
        below: dict[UUID, Branch] = {}
        for child in rows.defer("input", "output")[: most - shown]:
            branch = Branch(child, child.asked_by.node if child.asked_by else None)
            if child.parent_id is not None:
                level[child.parent_id].children.append(branch)
            below[child.pk] = branch
        shown += len(below)
        left_out += total - len(below)
        level = below
    return top, left_out
