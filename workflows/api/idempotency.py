"""`Idempotency-Key`: a POST that comes again gets its first answer, and is not done twice."""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from workflows.context.values import digest
from workflows.errors import InputRefusedError, Problem
from workflows.services.requests import Answer, answer_once

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY_LENGTH = 200
_KEY = re.compile(rf"[\x20-\x7e]{{1,{KEY_LENGTH}}}")

View = TypeVar("View", bound=APIView)
P = ParamSpec("P")


def key_of(request: Request) -> str | None:
    """Return the key of a request, if it has one.

    Raises:
        InputRefusedError: it is empty, too long, or not printable ASCII.
    """
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        message = f"{HEADER} must have 1 to {KEY_LENGTH} printable ASCII characters."
        raise InputRefusedError(message, [Problem("idempotency_key", message)])
    return key


def once(request: Request, act: Callable[[], Response]) -> Response:
    """Return the answer of `act`, or the first one when the request came before with its key.

    Everything that `act` writes commits together with the answer. Without a key `act` is called.

    Raises:
        InputRefusedError: the key is empty, too long, or not printable ASCII.
        KeyReusedError: the key came with another request.
        ConflictError: the same request is still being carried out.
    """
    key = key_of(request)
    if key is None:
        return act()
    answer, is_first = answer_once(
        f"user {request.user.pk}", key, _fingerprint(request), lambda: _kept(act())
    )
    headers = answer.headers if is_first else {**answer.headers, REPLAYED: "true"}
    return Response(answer.body, status=answer.status, headers=headers)


def idempotent(
    post: Callable[Concatenate[View, Request, P], Response],
) -> Callable[Concatenate[View, Request, P], Response]:
    """Let a view's `post` honour the header."""

    @wraps(post)
    def carry_out(view: View, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        return once(request, lambda: post(view, request, *args, **kwargs))

    return carry_out


def _fingerprint(request: Request) -> str:
    """Return a digest of all that makes a request what it is; spaces in its JSON do not."""
    events = {name: value for name, value in request.headers.items() if name.startswith("Ce-")}
    media_type = request.content_type.partition(";")[0].strip()
    told: dict[str, Any] = {
        "method": request.method,
        "path": request.get_full_path(),
        "type": media_type,
        "events": events,
        "body": request.data,
    }
    return digest(told)


def _kept(response: Response) -> Answer:
    body = json.loads(JSONRenderer().render(response.data) or b"null")
    return Answer(response.status_code, body, dict(response.headers))
