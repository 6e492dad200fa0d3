"""The activity of `http` nodes: one attempt of a call, redirects included."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import httpx2

from workflows import conf
from workflows.activities import ActivityContext, ActivityError, NonRetryableError, activity
from workflows.context.values import loads
from workflows.effects.dialling import Deadline
from workflows.effects.exchange import Answer, Headers, Outgoing, exchange, port_of, read_url
from workflows.effects.limits import clearing, own_seconds
from workflows.effects.secrets import Redactor, reveal, steps
from workflows.errors import ValueRefusedError

#: Statuses that say "later", so that another attempt can help; so do all from 500.
_LATER = frozenset({408, 425, 429})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Headers that are for one origin only.
_PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization"})
#: What text comes in; Python knows more, some of which takes long to decode or is no text.
_CHARSET = re.compile(
    r"utf-?8|utf-?(16|32)([lb]e)?|(us-)?ascii|iso-8859-\d+|windows-125\d|koi8-[ru]"
    r"|shift_jis|euc-(jp|kr)|gb(2312|k|18030)|big5",
    re.ASCII,
)
_FORM = "application/x-www-form-urlencoded"


@activity("http", internal=True, grace=clearing)
def http(  # noqa: PLR0913 - the fields of a node
    *,
    method: str,
    url: str,
    headers: dict[str, Any],
    query: dict[str, Any],
    body: Any,
    expect: list[tuple[int, int]],
    redirects: int,
    secrets: dict[str, str],
    idempotency_header: str,
    seconds: float | None,
    context: ActivityContext,
) -> dict[str, Any]:
    """Call a URL and return `{status, headers, body}`; `secrets` tells where references stand.

    Raises:
        ActivityError: `http_status` for an answer that `expect` does not name, and the codes of
            `exchange`, `read_url` and `reveal`.
    """
    target = read_url(url)
    parts = {"headers": headers, "query": query, "body": body}
    revealed = reveal(parts, secrets, target.host, port_of(target))
    sent = _request(method, target, revealed.parts)
    sent.headers.append((idempotency_header, context.idempotency_key))
    journey = _Journey(
        sent,
        # What an origin is told in confidence is not passed on to another.
        secret_headers=frozenset(
            steps(pointer)[1].lower() for pointer in secrets if steps(pointer)[0] == "headers"
        ),
        has_secret_body=any(steps(pointer)[0] == "body" for pointer in secrets),
    )
    limit = own_seconds(seconds, conf.settings().http_seconds)
    answer = _follow(journey, redirects, Deadline(limit))
    if not any(low <= answer.status <= high for low, high in expect):
        raise _unexpected(answer.status)
    return _result(answer, revealed.redactor)


@dataclass(frozen=True, slots=True)
class _Journey:
    """A request on its way through redirects."""

    sent: Outgoing
    secret_headers: frozenset[str]
    has_secret_body: bool


def _request(method: str, url: httpx2.URL, parts: Mapping[str, Any]) -> Outgoing:
    headers = [(name, _text(value, "header")) for name, value in parts["headers"].items()]
    names = {name.lower(): value for name, value in headers}
    body, content_type = _encoded(parts["body"], names.get("content-type", ""))
    if body is not None and "content-type" not in names:
        headers.append(("Content-Type", content_type))
    # Else a body that was packed small could unpack to anything before it is looked at.
    headers += [("Accept-Encoding", "identity")] if "accept-encoding" not in names else []
    headers += [("User-Agent", "celeriac")] if "user-agent" not in names else []
    headers += [("Accept", "*/*")] if "accept" not in names else []
    if parts["query"]:
        url = _with_query(url, _pairs(parts["query"]))
    length = [("Content-Length", str(len(body)))] if body is not None else []
    host = url.netloc.decode("ascii")
    return Outgoing(method, url, [("Host", host), *headers, *length], body)


def _with_query(url: httpx2.URL, pairs: Mapping[str, Any]) -> httpx2.URL:
    try:
        return url.copy_merge_params(pairs)
    except httpx2.InvalidURL:
        raise NonRetryableError("http_url", "With its `query` the URL is too long.") from None


def _encoded(body: Any, content_type: str) -> tuple[bytes | None, str]:
    """Return the bytes of a body and what they are: text as it is, everything else as JSON."""
    if body is None:
        return None, ""
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    if isinstance(body, dict) and content_type.lower().startswith(_FORM):
        return urlencode(_pairs(body), doseq=True).encode(), _FORM
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode(), "application/json"


def _pairs(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as text; what is null is left out, a list repeats its name."""
    return {
        name: [_text(item, "parameter") for item in value]
        if isinstance(value, list)
        else _text(value, "parameter")
        for name, value in values.items()
        if value is not None
    }


def _text(value: Any, what: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise NonRetryableError("http_request", f"A {what} can only be text, a number or a boolean.")


def _follow(journey: _Journey, most: int, deadline: Deadline) -> Answer:
    answer = exchange(journey.sent, deadline)
    for _ in range(most):
        location = answer.header("location")
        if answer.status not in _REDIRECTS or not location:
            return answer
        journey = _redirected(journey, answer.status, location)
        answer = exchange(journey.sent, deadline)
    if most and answer.status in _REDIRECTS:
        raise NonRetryableError("http_redirects", f"There were more than {most} redirects.")
    return answer


def _redirected(journey: _Journey, status: int, location: str) -> _Journey:
    """Return the next request; the address that it leads to is checked like the first one."""
    sent = journey.sent
    try:
        url = read_url(str(sent.url.join(location)))
    except (httpx2.InvalidURL, ValueError):
        raise NonRetryableError("http_redirects", "A redirect leads to no URL.") from None
    is_same = _origin(url) == _origin(sent.url)
    if sent.url.scheme == "https" and url.scheme == "http":
        raise NonRetryableError("http_redirects", "A redirect leads from https to http.")
    dropped = {"host"} if is_same else {"host"} | _PRIVATE | journey.secret_headers
    becomes_get = status == 303 or (status in (301, 302) and sent.method == "POST")
    if becomes_get and sent.method != "HEAD":
        sent = replace(sent, method="GET", body=None)
        dropped |= {"content-length", "content-type"}
    if not is_same and journey.has_secret_body and sent.body is not None:
        message = "A redirect would send a secret of the body to another host."
        raise NonRetryableError("http_redirects", message)
    kept: Headers = [pair for pair in sent.headers if pair[0].lower() not in dropped]
    host = ("Host", url.netloc.decode("ascii"))
    return replace(journey, sent=replace(sent, url=url, headers=[host, *kept]))


def _origin(url: httpx2.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, port_of(url)


def _unexpected(status: int) -> ActivityError:
    message = f"The answer has status {status}, which `expect` does not name."
    is_later = status >= 500 or status in _LATER
    return (ActivityError if is_later else NonRetryableError)("http_status", message)


def _result(answer: Answer, redactor: Redactor) -> dict[str, Any]:
    headers: dict[str, str] = {}
    for name, value in answer.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    made = {"headers": headers, "body": _body(answer)}
    return {"status": answer.status, **redactor.clean(made)}


def _body(answer: Answer) -> Any:
    """Return a body as JSON if it says that it is, as text if it is text, else as base64."""
    if not answer.body:
        return None
    kind, _, options = answer.header("content-type").lower().partition(";")
    kind = kind.strip()
    try:
        if kind == "application/json" or kind.endswith("+json"):
            return loads(answer.body, max_bytes=len(answer.body))
    except ValueRefusedError as error:
        message = f"The answer says that it is JSON, and is not: {error.message}."
        raise NonRetryableError("http_json", message) from None
    charset = options.partition("charset=")[2].partition(";")[0].strip().strip('"') or "utf-8"
    try:
        text = answer.body.decode(charset) if _CHARSET.fullmatch(charset) else "\0"
    except (LookupError, ValueError):
        text = "\0"
    return {"base64": base64.b64encode(answer.body).decode()} if "\0" in text else text
