"""Every error as a problem document (RFC 9457) with a stable code."""

import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError
from rest_framework import exceptions

from workflows.errors import CeleriacError

MEDIA_TYPE = "application/problem+json"
logger = logging.getLogger("workflows.api")

#: Titles of codes; a code that is not here is titled with the name of its HTTP status.
TITLES: Mapping[str, str] = {
    "body_too_large": "The body is too large",
    "conflict": "Not possible any more, or not yet",
    "database_unavailable": "The database is not available",
    "definition_invalid": "The definition was refused",
    "input_invalid": "The input was refused",
    "internal_error": "Something failed on the server",
    "key_reused": "The key was used for something else",
    "malformed_body": "The body cannot be read",
    "not_found": "Not found",
    "permission_refused": "Not allowed",
    "query_invalid": "The query parameters were refused",
    "throttled": "Too many requests",
    "value_refused": "A value was refused",
}


class BodyTooLargeError(CeleriacError):
    """The body of a request is larger than the limit."""

    code = "body_too_large"
    status = 413


class LengthRequiredError(CeleriacError):
    """A body came in chunks, without its length: WSGI would take it for empty."""

    code = "length_required"
    status = 411


class MalformedBodyError(CeleriacError):
    """The body of a request cannot be read as what its content type says."""

    code = "malformed_body"
    status = 400


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, Any]] = (),
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return a problem document.

    Args:
        status: HTTP status.
        code: stable name of what happened; `type` is made of it.
        detail: what is wrong here, and how to mend it.
        errors: one entry for each thing that is wrong, with `code`, `message` and `pointer`.
        details: more that a program may want to know.
        headers: of the response.
    """
    document: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": TITLES.get(code, HTTPStatus(status).phrase),
        "status": status,
        "detail": detail,
        "code": code,
        "errors": list(errors),
    }
    if details:
        document["details"] = details
    text = json.dumps(document, default=str)
    return HttpResponse(text, status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


_Answer = Callable[[Any], HttpResponse]


def handle_exception(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Answer an exception of a view; the exception handler of REST framework."""
    for kind, answer in _ANSWERS:
        if isinstance(error, kind):
            return answer(error)
    return _unexpected(error, context)


def _of_engine(error: CeleriacError) -> HttpResponse:
    details = dict(error.details)
    errors = details.pop("problems", None)
    place = {name: details.pop(name, None) for name in ("pointer", "line", "column")}
    if errors is None and any(value is not None for value in place.values()):
        errors = [{"code": error.code, "message": error.message, **place}]
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s: %s", error.code, error.message, exc_info=error)
    return problem(error.status, error.code, error.message, errors=errors or (), details=details)


def _of_framework(error: exceptions.APIException) -> HttpResponse:
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    found = list(_flat(error.detail, ""))
    if isinstance(error, exceptions.ValidationError):
        text = f"{found[0][0] or '/'}: {found[0][1]}" if found else "The request was refused."
        errors = [_as_error(pointer, detail) for pointer, detail in found]
        return problem(error.status_code, "invalid", text, errors=errors)
    code = str(getattr(found[0][1], "code", "")) or error.default_code
    return problem(error.status_code, code, str(found[0][1]), headers=headers)


def _flat(detail: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Yield (JSON pointer, message) for all messages of a validation error."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            # Errors of the whole object have this name, which leads nowhere in the body.
            here = pointer if name == "non_field_errors" else f"{pointer}/{name}"
            yield from _flat(inner, here)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_message = isinstance(inner, str)
            yield from _flat(inner, pointer if is_message else f"{pointer}/{index}")
    else:
        yield pointer, detail


def field_errors(detail: Any) -> list[dict[str, Any]]:
    """Return the messages of a serializer's `errors`, each with its JSON pointer and code."""
    return [_as_error(pointer, message) for pointer, message in _flat(detail, "")]


def _as_error(pointer: str, detail: Any) -> dict[str, Any]:
    code = str(getattr(detail, "code", "invalid"))
    return {"code": code, "message": str(detail), "pointer": pointer}


def _not_found(error: Http404) -> HttpResponse:
    return problem(404, "not_found", str(error) or "There is nothing at this address.")


def _forbidden(error: PermissionDenied) -> HttpResponse:
    return problem(403, "permission_denied", str(error) or "You may not do this.")


def _too_big(_: RequestDataTooBig) -> HttpResponse:
    return problem(413, "body_too_large", "The body of the request is too large.")


def _malformed(_: Exception) -> HttpResponse:
    return problem(400, "malformed_request", "The request is malformed, or ended too soon.")


def _no_database(error: Exception) -> HttpResponse:
    logger.error("database not available", exc_info=error)
    text = "The database did not answer, or asked to try again. Nothing was changed: try again."
    return problem(503, "database_unavailable", text, headers={"Retry-After": "2"})


def _unexpected(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    if settings.DEBUG:
        return None  # Django's page with the traceback
    logger.error("a view failed", exc_info=error)
    # Error reporters listen to this; the answer itself tells nothing about the inside.
    got_request_exception.send(sender=None, request=context["request"]._request)  # noqa: SLF001 - the signal carries Django's own request
    return problem(500, "internal_error", "This is a fault of the server; it has been logged.")


_ANSWERS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], _Answer], ...] = (
    (CeleriacError, _of_engine),
    (exceptions.APIException, _of_framework),
    (Http404, _not_found),
    (PermissionDenied, _forbidden),
    (RequestDataTooBig, _too_big),
    ((SuspiciousOperation, UnreadablePostError), _malformed),
    ((OperationalError, InterfaceError), _no_database),
)
