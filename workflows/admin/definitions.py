"""Workflows and their published versions."""

from django.contrib import admin
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from workflows.admin.read_only import ReadOnlyAdmin, as_pre, link_to
from workflows.models import Workflow, WorkflowVersion
from workflows.templatetags.moments import moment


@admin.register(Workflow)
class WorkflowAdmin(ReadOnlyAdmin):
    """The names; what they do is in their versions."""

    list_display = ("name", "title", "newest", "created_at")
    search_fields = ("name", "title")
    ordering = ("name",)
    fields = ("name", "title", "created_at", "published")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workflow]:
        rows: QuerySet[Workflow] = super().get_queryset(request)
        return rows.annotate(newest=Max("versions__number"))

    @admin.display(description="newest version", ordering="newest")
    def newest(self, workflow: Workflow) -> str:
        return f"v{getattr(workflow, 'newest', None) or 0}"

    @admin.display(description="versions")
    def published(self, workflow: Workflow) -> SafeString | str:
        versions = workflow.versions.defer("document").annotate(runs_of_it=Count("runs"))
        rows = [
            (
                link_to(each, f"v{each.number}"),
                moment(each.published_at),
                each.runs_of_it,
            )
            for each in versions[:50]
        ]
        return format_html_join("", "<div>{} · {} · {} runs</div>", rows) or "-"


@admin.register(WorkflowVersion)
class WorkflowVersionAdmin(ReadOnlyAdmin):
    """One immutable version with its document."""

    list_display = ("workflow", "number", "published_at", "published_by", "short_digest")
    list_filter = ("workflow",)
    list_select_related = ("workflow", "published_by")
    search_fields = ("workflow__name", "digest")
    fields = ("workflow", "number", "digest", "published_at", "published_by", "definition")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkflowVersion]:
        return super().get_queryset(request).defer("document")

    @admin.display(description="digest")
    def short_digest(self, version: WorkflowVersion) -> str:
        return version.digest[:12]

    @admin.display(description="definition")
    def definition(self, version: WorkflowVersion) -> SafeString:
        return as_pre(version.document)
