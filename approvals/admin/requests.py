"""Requests in the admin: staff see what they may see, and decide one or many."""

# ruff: noqa: ARG002 - Django decides what these methods are called with

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from approvals import selectors
from approvals.admin.bulk import answer_many
from approvals.models import ApprovalRequest, Choice, RequestStatus, Vote
from workflows.admin.read_only import ReadOnlyAdmin, as_pre, link_to
from workflows.clock import now
from workflows.templatetags.moments import told_with_age


class MineFilter(admin.SimpleListFilter):
    """What waits for the person who looks, and what is late."""

    title = "inbox"
    parameter_name = "inbox"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", "Waiting for me"), ("asked", "Asked by me"), ("overdue", "Overdue")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ApprovalRequest]
    ) -> QuerySet[ApprovalRequest]:
        wanted: dict[str | None, dict[str, Any]] = {
            "mine": {"may_decide": True},
            "asked": {"requester_id": request.user.pk},
            "overdue": {"status": RequestStatus.OPEN, "due_at__lt": now()},
        }
        return queryset.filter(**wanted.get(self.value(), {}))


class VoteInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who answered what."""

    model = Vote
    fields = ("username", "group", "decision", "comment", "shown_form", "given")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever may see the request

    @admin.display(description="form")
    def shown_form(self, vote: Vote) -> SafeString | str:
        return as_pre(vote.form) if vote.form else "-"

    @admin.display(description="at")
    def given(self, vote: Vote) -> SafeString | str:
        return told_with_age(vote.at)


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnlyAdmin):
    """Read-only; the actions call the one function that decides."""

    list_display = (
        "title",
        "status",
        "asked_of",
        "requester",
        "workflow_name",
        "due_at",
        "opened_at",
    )
    list_filter = (MineFilter, "status", "workflow_name")
    search_fields = ("title", "workflow_name")
    date_hierarchy = "opened_at"
    inlines = (VoteInline,)
    actions = ("approve_selected", "reject_selected")
    fields = (
        "title",
        "status",
        "decide_on",
        "asked_of",
        "need",
        "requester",
        "workflow_name",
        "run_link",
        "node",
        "shown_values",
        "shown_form",
        "opened_at",
        "due_at",
        "closed_at",
        "closed_by",
        "shown_decision",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovalRequest]:
        return selectors.visible_requests(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: ApprovalRequest | None = None) -> bool:
        # Which of the requests is a matter of get_queryset: an object came from there.
        return bool(request.user.is_active and request.user.is_staff)

    @admin.display(description="asked of")
    def asked_of(self, asked: ApprovalRequest) -> str:
        return ", ".join([*asked.groups, *asked.users])

    @admin.display(description="page")
    def decide_on(self, asked: ApprovalRequest) -> SafeString:
        return format_html(
            '<a href="{}">Open the approval page</a>', reverse("approvals:request", args=[asked.pk])
        )

    @admin.display(description="run")
    def run_link(self, asked: ApprovalRequest) -> SafeString | str:
        return link_to(asked.run, str(asked.run_id))

    @admin.display(description="shown")
    def shown_values(self, asked: ApprovalRequest) -> SafeString | str:
        return as_pre(asked.shown) if asked.shown else "-"

    @admin.display(description="form")
    def shown_form(self, asked: ApprovalRequest) -> SafeString | str:
        return as_pre(asked.form) if asked.form else "-"

    @admin.display(description="decision")
    def shown_decision(self, asked: ApprovalRequest) -> SafeString | str:
        return as_pre(asked.decision) if asked.decision else "-"

    @admin.action(description="Approve selected requests", permissions=["view"])
    def approve_selected(
        self, request: HttpRequest, chosen: QuerySet[ApprovalRequest]
    ) -> HttpResponse | None:
        return self._answer(request, chosen, Choice.APPROVE)

    @admin.action(description="Reject selected requests", permissions=["view"])
    def reject_selected(
        self, request: HttpRequest, chosen: QuerySet[ApprovalRequest]
    ) -> HttpResponse | None:
        return self._answer(request, chosen, Choice.REJECT)

    def _answer(
        self, request: HttpRequest, chosen: QuerySet[ApprovalRequest], decision: Choice
    ) -> HttpResponse | None:
        rows: Sequence[ApprovalRequest] = list(chosen)
        site = self.admin_site.each_context(request)
        tell = partial(self.message_user, request)
        return answer_many(request, rows, decision=decision, tell=tell, site=site)
