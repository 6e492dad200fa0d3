"""Values that nobody types, and every place of a request that they can be put into."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.admin import site
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator

#: As they stand in an address: percent-encoded, so that each arrives as it is.
VALUES = (
    "%00",
    "a%00b",
    "%ED%A0%80",  # half of a surrogate pair
    "%FF",
    "%D9%A3",  # a digit that is not ASCII
    "-1",
    "99999999999999999999999",
    "NaN",
    "9999-12-31T23:59:59-14:00",
    "9999",
    "[",
    "a,b,,",
    "%5C",
    "",
    "x" * 3000,
)
#: The control parameters of every list of the admin.
OF_LISTS = ("q", "o", "p", "all", "e", "_popup", "_to_field", "_facets", "unknown")
ROW_PAGES = ("change", "history", "delete")
ROW_QUERIES = [
    (name, value)
    for name in ("_to_field", "_popup", "_changelist_filters")
    for value in ("%00", "[", "%FF")
]
#: What an action is told: the chosen rows, which of two forms, and whether all rows are meant.
SELECTIONS = (
    ("", "", ""),
    ("nonsense", "0", "0"),
    ("\0", "0", "0"),
    ("-1", "x", "x"),
    ("99999999999999999999999", "99999999999999999999", "1"),
    ("00000000-0000-0000-0000-000000000000", "-1", "0"),
    ("x" * 3000, "0", "0"),
)
_LOOKUPS = ("", "__regex", "__gte", "__in")
#: For the parts of an API address.
_SAMPLES = {"workflow": "shop/refund", "number": "1"}

DOCUMENTS = ("/api/v1/schema/", "/api/v1/docs/")
OF_DOCUMENTS = {"format", "lang", "version"}

BODIES = (b"", b"\0", b"\xff\xfe", b"{", b"[]", b"null", b'"x"', b'{"a":"\\u0000"}', b"1e999")
CONTENT_TYPES = (
    "application/json",
    "application/json; charset=base64",
    "application/json; charset=\xff",
    "application/yaml",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "/",
    "",
)
HEADERS = (
    {"Authorization": "Token"},
    {"Authorization": "Token \0"},
    {"Authorization": "Token \xff"},
    {"Authorization": "Basic AP8="},
    {"Authorization": "Basic \xe9"},
    {"Cookie": 'sessionid="\\000aaaaaaaaaaaaaaaa"'},
    {"Cookie": 'sessionid="\\355\\240\\200aaaaaaaaaaaa"'},
    {"Cookie": 'csrftoken="\\000"; messages="\\000"'},
    {"Accept": "\xff"},
    {"Accept": "text/html;q=x,,;"},
    {"Accept-Language": "\0"},
    {"Idempotency-Key": "\0"},
    {"Idempotency-Key": "\xe9"},
    {"Idempotency-Key": "k" * 300},
    {"If-None-Match": '"\0", W/x'},
    {"Prefer": "wait=999999999999999999999999"},
    {"Content-Length": "x"},
    {"Transfer-Encoding": "chunked"},
    {"Host": "\0"},
    {"Host": "elsewhere.example.org"},
    {"X-CSRFToken": "\0"},
)


def list_parameters(model: Any, changelist: Any) -> set[str]:
    """Return what a list of the admin takes: search, filters, dates, and any column."""
    found = set(OF_LISTS)
    for spec in changelist.filter_specs:
        found.update(name for name in spec.expected_parameters() if name)
    hierarchy = site.get_model_admin(model).date_hierarchy
    if hierarchy:
        found |= {f"{hierarchy}__{part}" for part in ("year", "month", "day", "gte")}
    return found


def column_lookups(model: Any) -> set[str]:
    """Return lookups on every column, whether the list has a filter for it or not."""
    return {f"{field.name}{lookup}" for field in model._meta.fields for lookup in _LOOKUPS}


def api_addresses(**ids: str) -> list[str]:
    """Return every address of the API, with ids of things that are there: `run_id` and so on."""
    return [f"/{_filled(route, ids)}" for route in _routes(get_resolver().url_patterns, "")]


def api_parameters() -> set[str]:
    """Return the name of every query parameter that the API describes."""
    document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    return {
        parameter["name"]
        for operation in operations
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }


def _routes(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _routes(each.url_patterns, route)
        elif route.startswith("api/v1/"):
            yield route


def _filled(route: str, ids: Mapping[str, str]) -> str:
    """Return a route with its parts filled in: `<uuid:run_id>` is looked up by its name."""
    parts = []
    for part in route.replace("<", "\0<").replace(">", "\0").split("\0"):
        kind, _, name = part.removeprefix("<").partition(":")
        is_part = part.startswith("<")
        parts.append((ids.get(name) or _SAMPLES[kind]) if is_part else part)
    return "".join(parts)
