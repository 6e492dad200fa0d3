"""Pages by cursor: the next page begins after the last row, whatever has come in meanwhile."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from workflows.api.reading import QueryRefusedError
from workflows.errors import Problem

LIMIT, MAX_LIMIT = 50, 200


class KeysetPagination(BasePagination):
    """Base of pages: `ordering` names fields that together are unique, all in one direction."""

    ordering: ClassVar[tuple[str, ...]] = ("-created_at", "-id")
    _request: Request
    _next: str | None = None

    def paginate_queryset(
        self,
        queryset: Any,
        request: Request,
        view: Any = None,  # noqa: ARG002 - the framework's signature
    ) -> list[Any]:
        self._request = request
        limit = _limit(request.query_params.get("limit"))
        names = tuple(name.removeprefix("-") for name in self.ordering)
        cursor = request.query_params.get("cursor", "")
        if cursor:
            queryset = queryset.filter(self._after(_read_cursor(cursor, queryset.model, names)))
        # One more than asked for tells whether there is a next page.
        rows = list(queryset.order_by(*self.ordering)[: limit + 1])
        self._next = _cursor(rows[limit - 1], names) if len(rows) > limit else None
        return rows[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        here = self._request.build_absolute_uri()
        following = replace_query_param(here, "cursor", self._next) if self._next else None
        return Response({"next": following, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {"type": ["string", "null"], "format": "uri", "description": "The next page."}
        properties = {"next": following, "results": schema}
        return {"type": "object", "required": ["next", "results"], "properties": properties}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:  # noqa: ARG002 - the framework's signature
        number = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": LIMIT}
        return [
            _parameter("limit", "Rows on a page.", number),
            _parameter("cursor", "Where the page begins: take it from `next`.", {"type": "string"}),
        ]

    def _after(self, place: dict[str, Any]) -> Q:
        """Return the condition of rows that stand behind `place` in the ordering."""
        side = "lt" if self.ordering[0].startswith("-") else "gt"
        (first, start), *_ = place.items()
        behind, same = Q(), Q()
        for name, value in place.items():
            behind |= same & Q(**{f"{name}__{side}": value})
            same &= Q(**{name: value})
        # Says nothing new, but lets the database enter its index at the right place.
        return Q(**{f"{first}__{side}e": start}) & behind


class NewestFirst(KeysetPagination):
    """The newest first, by `created_at`."""


class ByName(KeysetPagination):
    """In the order of names."""

    ordering = ("name",)


class OldestFirst(KeysetPagination):
    """In the order in which rows were written."""

    ordering = ("id",)


class HighestFirst(KeysetPagination):
    """The highest number first."""

    ordering = ("-number",)


class FirstOpened(KeysetPagination):
    """What was opened first comes first."""

    ordering = ("opened_at", "id")


class LastReceivedFirst(KeysetPagination):
    """The last received first."""

    ordering = ("-received_at", "-id")


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }


def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MAX_LIMIT:
        return int(text[:9])
    message = f"Must be a whole number from 1 to {MAX_LIMIT}."
    raise QueryRefusedError([Problem("limit", message, "/limit")])


def _cursor(row: Model, names: Sequence[str]) -> str:
    fields = [row._meta.get_field(name) for name in names]  # noqa: SLF001 - Django's documented door
    place = [field.value_to_string(row) for field in fields]  # type: ignore[union-attr]
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read_cursor(text: str, model: type[Model], names: Sequence[str]) -> dict[str, Any]:
    try:
        place = json.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
        if not _is_place(place, len(names)):
            raise ValueError  # noqa: TRY301 - one refusal for all that a cursor can be wrong in
        fields = [model._meta.get_field(name) for name in names]  # noqa: SLF001 - Django's documented door
        found = [_read_part(field, part) for field, part in zip(fields, place, strict=True)]
    except (ValueError, RecursionError, OverflowError, ValidationError):
        message = "No such cursor: take it from the `next` of a page."
        raise QueryRefusedError([Problem("cursor", message, "/cursor")]) from None
    return dict(zip(names, found, strict=True))


def _read_part(field: Any, text: str) -> Any:
    value = field.to_python(text)
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError
    return value.astimezone(UTC)


def _is_place(place: Any, length: int) -> bool:
    if not isinstance(place, list) or len(place) != length:
        return False
    return all(isinstance(part, str) and part and part.isprintable() for part in place)
