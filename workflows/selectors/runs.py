"""Runs, threads and history as people and programs ask for them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from workflows.errors import ContentLostError, ContentUnreachableError, NotFoundError
from workflows.models import NodeExecution, Run, Suspension, Thread
from workflows.nodes.parts import part_context, parts_from_json
from workflows.states import THREAD_OVER, ThreadState


def run_key(run: Run | UUID | str) -> UUID:
    """Return the id of a run that is given by itself or by its id. Raises ValueError."""
    return run.pk if isinstance(run, Run) else UUID(str(run))


def run_by_id(run: Run | UUID | str) -> Run:
    """Return a run as it is now. Raises NotFoundError, for an id that is none as well."""
    try:
        found = Run.objects.select_related("version", "started_by").get(pk=run_key(run))
    except (Run.DoesNotExist, ValueError):
        message = f"There is no run {run.pk if isinstance(run, Run) else run!s:.60}."
        raise NotFoundError(message) from None
    return found


def runs(**filters: Any) -> QuerySet[Run]:
    """Return runs, the newest first, by exact filters on `status`, `workflow_name`, `key`."""
    return Run.objects.select_related("version", "started_by").filter(**filters)


def history_of(run: Run) -> QuerySet[NodeExecution]:
    """Return every attempt of every node of a run, in order."""
    return NodeExecution.objects.filter(run=run).order_by("id")


def kind_in_words(kind: str, given: Any) -> str:
    """Return the kind of a row of the history; with the node whose step it has undone, if it has.

    Args:
        kind: the kind.
        given: the input of the row.
    """
    is_undoing = kind == "compensate" and isinstance(given, dict) and "node" in given
    return f"{kind} {given['node']}" if is_undoing else kind


def waits_of(run: Run) -> QuerySet[Suspension]:
    """Return what a run waits for, the oldest wait first."""
    return _waits().filter(run=run)


def _waits() -> QuerySet[Suspension]:
    return Suspension.objects.filter(state="open").order_by("opened_at", "thread_id")


def with_oldest_wait(found: QuerySet[Run]) -> QuerySet[Run]:
    """Return runs with `waits_since` and `waits_at`: when and where the oldest wait was opened."""
    waits = _waits().filter(run=OuterRef("pk"))
    since, node = Subquery(waits.values("opened_at")[:1]), Subquery(waits.values("node")[:1])
    return found.annotate(waits_since=since, waits_at=node)


def questions_of(run: Run) -> QuerySet[Suspension]:
    """Return what a run and its children ask and have asked people, the oldest first."""
    asked = Suspension.objects.filter(Q(run=run) | Q(family=run.pk), kind="person")
    return asked.select_related("run").order_by("opened_at", "thread_id")


_PROGRESS = (
    "id", "node", "state", "expected", "parallel", "tolerate", "over", "failed", "cancelled",
    "opened_at",
)  # fmt: skip


def progress_of(run: Run) -> list[dict[str, Any]]:
    """Return for each group of a run its node, state, limits, and how many parts are how far."""
    over = Count("threads", filter=Q(threads__state__in=THREAD_OVER))
    failed = Count("threads", filter=Q(threads__state=ThreadState.FAILED))
    cancelled = Count("threads", filter=Q(threads__state=ThreadState.CANCELLED))
    groups = run.groups.annotate(over=over, failed=failed, cancelled=cancelled).order_by(
        "opened_at"
    )
    return [dict(row) for row in groups.values(*_PROGRESS)]


def progress_words(group: dict[str, Any]) -> str:
    """Return how far a group of `progress_of` is: a part that was cancelled has done nothing."""
    over, failed, cancelled = group["over"], group["failed"], group["cancelled"]
    if not cancelled:
        return f"{over} of {group['expected']}" + (f", {failed} failed" if failed else "")
    parts = [(over - failed - cancelled, "arrived"), (failed, "failed"), (cancelled, "cancelled")]
    parts.append((group["expected"] - over, "on the way"))
    return ", ".join(f"{count} {word}" for count, word in parts if count)


def progress_share(group: dict[str, Any]) -> float:
    """Return which share of a group's parts has come to its end by itself, from 0 to 1."""
    done = group["over"] - group["cancelled"]
    return done / group["expected"] if group["expected"] else 1.0


def shown_value(read: Callable[[], Any]) -> Any:
    """Return a large value, or what to show in place of one that is lost: pages must not break.

    Raises:
        ContentUnreachableError: it cannot be read now; a program does well to ask again.
    """
    try:
        return read()
    except ContentLostError as lost:
        return _in_place(lost)


def value_for_people(read: Callable[[], Any]) -> Any:
    """Return a large value, or what people are shown in place of one that cannot be read now."""
    try:
        return shown_value(read)
    except ContentUnreachableError as away:
        return _in_place(away)


def _in_place(error: ContentLostError | ContentUnreachableError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message}}


def context_of(thread: Thread) -> dict[str, Any]:
    """Return a thread's context, derived from its group while it has none of its own."""
    if thread.context is not None or thread.group is None:
        context: dict[str, Any] = thread.context or {}
        return context
    parts = parts_from_json(thread.group.parts)
    return part_context(parts, thread.group.context, thread.idx)
