"""The rows behind runs: threads, groups, waits, events, and what every node did."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from workflows.admin.read_only import ReadOnlyAdmin, as_pre, badge, link_to
from workflows.models import Event, LockClaim, NodeExecution, Suspension, Thread, ThreadGroup
from workflows.selectors.runs import context_of, value_for_people


class OfRunAdmin(ReadOnlyAdmin):
    """Rows that belong to a run; found by its id (`?run__id__exact=`) from the run's page."""

    list_select_related = ("run",)
    other_lookups = ("run__id__exact",)

    @admin.display(description="run")
    def run_link(self, row: Any) -> SafeString | str:
        return link_to(row.run, str(row.run_id)[:8])

    @admin.display(description="state", ordering="state")
    def state_badge(self, row: Any) -> SafeString:
        return badge(row.state)


@admin.register(Thread)
class ThreadAdmin(OfRunAdmin):
    """Cursors through the graph."""

    list_display = ("id", "run_link", "state_badge", "node", "idx", "attempt", "queue", "moved_at")
    list_filter = ("state", "queue")
    fields = (
        "run_link", "state_badge", "node", "came_from", "group", "idx", "seq", "attempt", "fence",
        "queue", "priority", "wake_at", "lease_until", "moved_at", "shown_context", "contribution",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="context")
    def shown_context(self, thread: Thread) -> SafeString:
        return as_pre(value_for_people(lambda: context_of(thread)))


@admin.register(ThreadGroup)
class ThreadGroupAdmin(OfRunAdmin):
    """Splits: one fan-out, batch or map each."""

    list_display = ("id", "run_link", "state_badge", "node", "expected", "parallel", "opened_at")
    list_filter = ("state",)
    fields = (
        "run_link", "state_badge", "node", "owner", "expected", "parallel", "slots", "queue",
        "merge", "opened_at", "helped_at", "joined_at", "shown_parts",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="parts")
    def shown_parts(self, group: ThreadGroup) -> SafeString:
        return as_pre(group.parts)


@admin.register(Suspension)
class SuspensionAdmin(OfRunAdmin):
    """Waits, open and over. Tokens are kept as hashes and shown to nobody."""

    list_display = (
        "node", "kind", "run_link", "state_badge", "event", "opened_at", "wake_at",
    )  # fmt: skip
    list_filter = ("state", "kind")
    search_fields = ("event_type", "event_key")
    fields = (
        "run_link", "thread", "node", "kind", "state_badge", "event_type", "event_key",
        "event_filter", "collect", "shown_collected", "wake_at", "opened_at", "over_at",
        "resolved_by", "answered_by",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="event", ordering="event_type")
    def event(self, suspension: Suspension) -> str:
        return " · ".join(filter(None, (suspension.event_type, suspension.event_key))) or "-"

    @admin.display(description="collected")
    def shown_collected(self, suspension: Suspension) -> SafeString:
        return as_pre(suspension.collected)


@admin.register(LockClaim)
class LockClaimAdmin(OfRunAdmin):
    """Locks: who holds each, and who waits for it in which order."""

    list_display = ("name", "mode", "run_link", "node", "state_badge", "asked_at", "held_at")
    list_filter = ("state", "is_shared")
    search_fields = ("name",)
    ordering = ("name", "id")
    fields = (
        "name", "mode", "run_link", "thread", "node", "state_badge", "limit", "after_sleep",
        "asked_at", "held_at",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="asked for")
    def after_sleep(self, claim: LockClaim) -> str:
        if claim.is_again:
            return "again: it was released while its thread slept"
        return "for the first time"

    @admin.display(description="mode")
    def mode(self, claim: LockClaim) -> str:
        if claim.is_shared:
            return "shared"
        return "exclusive" if claim.limit == 1 else f"up to {claim.limit}"


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Messages from outside: whom each woke, and why others were not."""

    list_display = ("type", "key", "source", "external_id", "received_at", "taken_at")
    list_filter = (("taken_at", admin.EmptyFieldListFilter),)
    search_fields = ("type", "key", "external_id")
    fields = (
        "type", "key", "source", "external_id", "deliver", "time", "received_at", "expires_at",
        "taken_at", "shown_data", "woke", "why_others_not", "still_to_be_asked",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="data")
    def shown_data(self, event: Event) -> SafeString:
        return as_pre(event.data)

    @admin.display(description="waits that it reached")
    def woke(self, event: Event) -> SafeString:
        return as_pre(event.taken_by)

    @admin.display(description="waits that it did not fit")
    def why_others_not(self, event: Event) -> SafeString:
        return as_pre(event.misses)

    @admin.display(description="waits that it has still to be offered to")
    def still_to_be_asked(self, event: Event) -> SafeString:
        return as_pre([str(candidate.suspension_id) for candidate in event.candidates.all()])


@admin.register(NodeExecution)
class NodeExecutionAdmin(OfRunAdmin):
    """What every node did, attempt by attempt."""

    list_display = ("node", "kind", "run_link", "attempt", "status_badge", "started_at", "worker")
    list_filter = ("status", "kind")
    fields = (
        "run_link", "thread", "seq", "node", "kind", "came_from", "attempt", "status_badge",
        "worker", "queued_at", "started_at", "ended_at", "shown_input", "shown_output",
        "shown_error",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="status", ordering="status")
    def status_badge(self, row: NodeExecution) -> SafeString:
        return badge(row.status)

    @admin.display(description="input")
    def shown_input(self, row: NodeExecution) -> SafeString:
        return as_pre(row.input)

    @admin.display(description="output")
    def shown_output(self, row: NodeExecution) -> SafeString:
        return as_pre(row.output)

    @admin.display(description="error")
    def shown_error(self, row: NodeExecution) -> SafeString:
        return as_pre(row.error)
