"""Runs: the list, and the page of one run with all that happens in it."""

# ruff: noqa: ARG002 - Django decides what these methods are called with

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from workflows import services
from workflows.admin.read_only import ReadOnlyAdmin, badge
from workflows.admin.run_page import page_of
from workflows.errors import CeleriacError, NotFoundError, PermissionRefusedError
from workflows.models import Run, Workflow
from workflows.selectors.runs import run_by_id, with_oldest_wait
from workflows.services import access
from workflows.services.runs import REASON_LENGTH
from workflows.states import RunStatus
from workflows.templatetags.moments import told_with_age

_LONGEST_KEY = 40  # characters in the list; the page of a run has all of them


class StatusFilter(admin.SimpleListFilter):
    """By status; `alive` is everything that is not over."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("alive", "Not over"), *((each.value, each.value) for each in RunStatus)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        if self.value() == "alive":
            return queryset.filter(status__in=("pending", "running", "suspended"))
        return queryset.filter(status=self.value()) if self.value() else queryset


class ResultFilter(admin.SimpleListFilter):
    """By the verdict of runs that have one."""

    title = "result"
    parameter_name = "result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each, each) for each in ("ok", "blocked", "allowed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(result=self.value()) if self.value() else queryset


class WorkflowFilter(admin.SimpleListFilter):
    """By workflow: the names come from the workflows, not from millions of runs."""

    title = "workflow"
    parameter_name = "workflow"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = Workflow.objects.order_by("name").values_list("name", flat=True)[:100]
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(workflow_name=self.value()) if self.value() else queryset


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Read-only; cancelling goes through the service, for those with its permission."""

    list_display = (
        "short_id",
        "workflow",
        "status_badge",
        "created_at",
        "stuck_since",
        "by",
        "short_key",
    )
    list_display_links = ("short_id",)
    list_filter = (StatusFilter, ResultFilter, WorkflowFilter, "created_at")
    list_select_related = ("started_by", "version")
    search_fields = ("key",)
    search_help_text = "Id or key of a run, name of a workflow, or who started it."
    actions = ("cancel_selected", "undo_selected")
    fields = ("status",)
    readonly_fields = fields
    change_form_template = "admin/workflows/run/page.html"
    other_lookups = ("parent__id__exact",)

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        return lookup in self.other_lookups or super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return with_oldest_wait(super().get_queryset(request).defer("input", "output"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(key=term) | Q(workflow_name=term) | Q(started_by__username=term)
        with suppress(ValueError):  # it need not be an id
            wanted |= Q(pk=UUID(term))
        return queryset.filter(wanted), False

    def get_urls(self) -> list[URLPattern]:
        cancel = self.admin_site.admin_view(self.cancel_view)
        own = [path("<uuid:run_id>/cancel/", cancel, name="workflows_run_cancel")]
        return own + super().get_urls()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            run = run_by_id(object_id)
        except NotFoundError as error:
            raise Http404(error.message) from None
        may_cancel = access.may(request.user, "cancel_run")
        shown = {
            **(extra_context or {}),
            "title": "Run",
            "page": page_of(run),
            "may_cancel": may_cancel,
            "reason_length": REASON_LENGTH,
        }
        return super().change_view(request, object_id, form_url, shown)

    def cancel_view(self, request: HttpRequest, run_id: UUID) -> HttpResponse:
        """Cancel one run; a page that asks is the run's own."""
        if request.method == "POST":
            compensate = "compensate" in request.POST
            self._cancel(request, run_id, request.POST.get("reason", ""), compensate=compensate)
        return redirect("admin:workflows_run_change", run_id)

    @admin.action(description="Cancel selected runs", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        for run in chosen:
            self._cancel(request, run.pk, "")

    @admin.action(
        description="Cancel selected runs, and undo what they have done", permissions=["cancel"]
    )
    def undo_selected(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        for run in chosen:
            self._cancel(request, run.pk, "", compensate=True)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return access.may(request.user, "cancel_run")

    def _cancel(
        self, request: HttpRequest, run_id: UUID, reason: str, *, compensate: bool = False
    ) -> None:
        """Cancel one run, or say why not: each of many is done or refused on its own."""
        try:
            access.require(request.user, "cancel_run")
            why, by = reason.strip(), _person(request)
            run = services.cancel(run_id, reason=why, by=by, compensate=compensate)
        except PermissionRefusedError as error:
            raise PermissionDenied(error.message) from None
        except CeleriacError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            changes: Sequence[str] = [f"Cancelled. {reason}".strip()]
            self.log_change(request, run, changes)
            told = "is cancelled" if run.ended_at else "is cancelled when its steps are undone"
            self.message_user(request, f"Run {run.pk} {told}.", messages.SUCCESS)

    @admin.display(description="run", ordering="created_at")
    def short_id(self, run: Run) -> str:
        return str(run.pk)[:8]

    @admin.display(description="workflow", ordering="workflow_name")
    def workflow(self, run: Run) -> str:
        return f"{run.workflow_name} (child)" if run.parent_id else run.workflow_name

    @admin.display(description="by", ordering="started_by")
    def by(self, run: Run) -> str:
        return run.started_by.get_username() if run.started_by else "-"

    @admin.display(description="key", ordering="key")
    def short_key(self, run: Run) -> str:
        key = run.key or "-"
        return key if len(key) <= _LONGEST_KEY else f"{key[: _LONGEST_KEY - 1]}…"

    @admin.display(description="status", ordering="status")
    def status_badge(self, run: Run) -> SafeString:
        if not run.result:
            return badge(run.status)
        return format_html("{}<br>{}", badge(run.status), badge(f"result-{run.result}", run.result))

    @admin.display(description="waits since")
    def stuck_since(self, run: Run) -> SafeString | str:
        """Return since when a run has waited at the node at which it has waited longest."""
        since, node = getattr(run, "waits_since", None), getattr(run, "waits_at", "")
        return format_html("{} at {}", told_with_age(since), node) if since else "-"


def _person(request: HttpRequest) -> Any:
    return request.user
