"""Families of runs: a run, the children that it has started, and theirs."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from workflows.models import Run
from workflows.states import RUN_FINAL


@dataclass(frozen=True, slots=True)
class Descendant:
    """A run below another: how far, and the node that has started it."""

    level: int  # 1: a child
    run: Run
    node: str | None


def children_of(run: Run) -> QuerySet[Run]:
    """Return the child runs of a run, the oldest first, each with the wait that started it."""
    rows = Run.objects.filter(parent=run).select_related("version", "started_by", "asked_by")
    return rows.order_by("created_at", "pk")


def is_family_over(run: Run) -> bool:
    """Tell whether a run at the top of its family, and every run below it, is final."""
    family = Run.objects.filter(Q(pk=run.pk) | Q(root_id=run.pk))
    return not family.exclude(status__in=RUN_FINAL).exists()


def tree_of(run: Run, most: int) -> tuple[list[Descendant], int]:
    """Return the runs below a run, each before its own children, and how many are left out.

    At most `most` are shown. They are read level by level, so that what is left out is the deepest
    and the newest; what is below a run that is left out is not counted.
    """
    below: dict[UUID, list[Run]] = {}
    shown, left_out, level = 0, 0, [run.pk]
    while level:
        rows = Run.objects.filter(parent_id__in=level)
        total = rows.count()
        rows = rows.select_related("version", "asked_by").defer("input", "output")
        found = list(rows.order_by("created_at", "pk")[: most - shown])
        for child in found:
            if child.parent_id is not None:
                below.setdefault(child.parent_id, []).append(child)
        shown += len(found)
        left_out += total - len(found)
        level = [child.pk for child in found]
    return _in_order(run, below), left_out


def _in_order(top: Run, below: dict[UUID, list[Run]]) -> list[Descendant]:
    lines: list[Descendant] = []
    to_write = [(1, child) for child in reversed(below.get(top.pk, []))]
    while to_write:
        level, run = to_write.pop()
        lines.append(Descendant(level, run, run.asked_by.node if run.asked_by else None))
        to_write += [(level + 1, child) for child in reversed(below.get(run.pk, []))]
    return lines
