"""What all admin pages of the engine share: own filters, cheap counts, readable JSON; read-only."""

# ruff: noqa: ARG002 - Django decides what these methods are called with

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import DateTimeField, Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from workflows.admin.timeline import pretty
from workflows.templatetags.moments import told_with_age

_MOST_COUNTED = 10_000


class CheapPaginator(Paginator[Any]):
    """Counts no further than people page: a table of millions is not counted for each view."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:_MOST_COUNTED].count())


class FilteredList(ChangeList):
    """Takes what its own filters and links send, and nothing else.

    Django takes a lookup on any column of a table: that is a way to guess what no page shows, such
    as the hash of a token, and a query that fails on columns of JSON.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        try:
            found = super().get_filters(request)
        except (ValueError, OverflowError, DisallowedModelAdminLookup) as error:
            raise IncorrectLookupParameters from error  # a date past the end of the calendar, say
        known = set(getattr(self.model_admin, "other_lookups", ()))
        if self.date_hierarchy:
            known |= {f"{self.date_hierarchy}__{bound}" for bound in ("gte", "lt")}
        if found[2].keys() - known:
            raise IncorrectLookupParameters
        return found


class FilteredAdmin(admin.ModelAdmin[Any]):
    """Lists rows cheaply, by nothing but its own filters, and with times that cannot be misread.

    `other_lookups` are the lookups that links use beside those of the filters.
    """

    other_lookups: tuple[str, ...] = ()

    paginator = CheapPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count the whole table
    list_per_page = 50

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        for field in self.opts.concrete_fields:
            if isinstance(field, DateTimeField):
                setattr(self, f"exact_{field.name}", _exact(field))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self.with_exact_times(super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.with_exact_times(super().get_fields(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.with_exact_times(super().get_readonly_fields(request, obj))

    def with_exact_times(self, names: Iterable[Any]) -> list[Any]:
        """Return columns in which those of times tell the zone and how long ago it was."""
        return [f"exact_{name}" if hasattr(self, f"exact_{name}") else name for name in names]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FilteredList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        try:
            return super().get_changelist_instance(request)
        except IncorrectLookupParameters:
            # Django would show the whole list instead, as if nothing had been asked for.
            asked = ", ".join(sorted(request.GET))[:200]
            message = f"The list cannot be filtered by what the address says: {asked}."
            raise BadRequest(message) from None


class ReadOnlyAdmin(FilteredAdmin):
    """Shows rows; whoever may view them may not add, change or delete any."""

    class Media:
        css = {"all": ("workflows/admin.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def badge(state: str, words: str = "") -> SafeString:
    """Return a state as a coloured badge."""
    return format_html('<span class="wf-badge wf-{}">{}</span>', state, words or state)


def as_pre(value: Any) -> SafeString:
    """Return a JSON value as preformatted text."""
    return format_html('<pre class="wf-json">{}</pre>', pretty(value))


def link_to(row: Model | None, text: str | None = None) -> SafeString | str:
    """Return a link to a row's page."""
    if row is None:
        return "-"
    meta = row._meta  # noqa: SLF001 - Django's name
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', url, text or str(row))


def _exact(field: Any) -> Callable[[Any], Any]:
    """Return a column for a field of times, which is headed and sorts as that field does."""

    @admin.display(description=field.verbose_name, ordering=field.name)
    def told(row: Any) -> SafeString | str:
        return told_with_age(getattr(row, field.name))

    return told
