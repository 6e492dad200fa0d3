"""What is refused of a request before a page sees it, and how a refused request is told."""

import codecs
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ValidationError
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import DataError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from workflows.api.problems import problem
from workflows.context.values import check_text
from workflows.errors import ValueRefusedError

_SHOWN = 60  # characters of a name that the message repeats
_UTF8 = ("utf-8", "ascii")


class Utf8Request(HttpRequest):
    """A request that is read as UTF-8, whatever it says.

    Django takes any encoding that Python knows. Some are none of text, such as base64, and reading
    the query then fails before there is a middleware that could say so.
    """

    @property
    def encoding(self) -> str | None:
        return None  # the default of the settings

    @encoding.setter
    def encoding(self, named: str | None) -> None:
        pass


class _WSGIRequest(Utf8Request, WSGIRequest):
    """For WSGI."""


class _ASGIRequest(Utf8Request, ASGIRequest):
    """For ASGI."""


class Utf8WSGIHandler(WSGIHandler):
    """Django's handler, for requests that are UTF-8."""

    request_class = _WSGIRequest


class Utf8ASGIHandler(ASGIHandler):
    """Django's handler, for requests that are UTF-8."""

    request_class = _ASGIRequest


class PlainTextMiddleware:
    """Refuses text that no table can hold, once for all pages.

    A NUL character or a lone surrogate is no mistake of typing, and every filter, search and field
    would fail on it in the database. The API reads its own input, and points to the spot.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _refuse_charset(request)
        # Before the session is looked up by one of them.
        _refuse("cookie", request.COOKIES.items())
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *_given: Any
    ) -> None:
        """Check address, query and form; the stream of a view that reads it itself is left."""
        if getattr(view, "csrf_exempt", False):
            return
        _refuse("address", [("path", request.path_info)])
        for what, values in (("parameter", request.GET), ("field", request.POST)):
            _refuse(what, ((name, one) for name, many in values.lists() for one in many))
        _refuse_rows(getattr(view, "model_admin", None), request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Tell a filter that the database makes no sense of, such as half a regular expression.

        The admin's lists of other apps take a lookup on any column; ours take what they offer.
        """
        is_list = hasattr(getattr(request.resolver_match, "func", None), "model_admin")
        if is_list and request.method in ("GET", "HEAD") and _blames_value(error):
            text = "The database can make no sense of a value in the address."
            return bad_request(request, BadRequest(text))
        return None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that is refused as it stands; the project's `handler400`."""
    # What Django refuses by itself may tell about its inside: such text is not repeated.
    text = str(exception) if isinstance(exception, BadRequest) else "The request is malformed."
    if request.path_info.startswith("/api/"):
        return problem(400, "malformed_request", text)
    return render(request, "project/bad_request.html", {"text": text}, status=400)


def _blames_value(error: Exception) -> bool:
    if isinstance(error, OperationalError):
        # SQLite asks Python for a regular expression, and tells no more of what it answered.
        return str(error) == "user-defined function raised exception"
    return isinstance(error, DataError | OverflowError)  # a time past the end of the calendar


def _refuse_charset(request: HttpRequest) -> None:
    """Refuse what says that it is not UTF-8: it would be read as what it is not."""
    named = (request.content_params or {}).get("charset", "utf-8")
    try:
        is_utf8 = codecs.lookup(named).name in _UTF8
    except (LookupError, ValueError):
        is_utf8 = False
    if not is_utf8:
        message = f"Requests are read as UTF-8, and this one says that it is {named[:_SHOWN]!r}."
        raise BadRequest(message)


def _refuse_rows(admin: ModelAdmin[Any] | None, request: HttpRequest) -> None:
    """Refuse an action of the admin on rows whose ids are none: Django asks the database."""
    if admin is None:
        return
    for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME):
        try:
            admin.opts.pk.to_python(chosen)
        except ValidationError:
            raise BadRequest(f"{chosen[:_SHOWN]!r} is no id of a row.") from None


def _refuse(what: str, pairs: Iterable[tuple[str, Any]]) -> None:
    for name, value in pairs:
        for text in (name, str(value)):
            try:
                check_text(text, f"{what} {name[:_SHOWN]!r}", longest=len(text))
            except ValueRefusedError as error:
                raise BadRequest(error.message) from None
