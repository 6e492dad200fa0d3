"""Whatever is wrong with a request, the answer is a problem document, and never a fault of ours."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, UnreadablePostError
from django.test import RequestFactory
from rest_framework.request import Request
from rest_framework.test import APIClient

from tests.integration.api.asking import API, EVENTS, RUNS, problem
from workflows.api import runs as runs_of_the_api
from workflows.api.problems import handle_exception
from workflows.errors import ConfigurationError, ExpressionError
from workflows.models import Run

pytestmark = pytest.mark.django_db
JSON = "application/json"
START = '{"workflow": "greeting", "input": {"name": %s}}'


def post(client: APIClient, body: bytes | str, media_type: str = JSON, **more: Any) -> Any:
    raw: Any = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return client.generic("POST", RUNS, raw, media_type, **more)


@pytest.mark.parametrize(
    ("body", "status", "code", "word"),
    [
        ("{", 400, "malformed_body", "line 1"),
        ('{"workflow": \n nope}', 400, "malformed_body", "line 2"),
        (b'{"workflow": "\xff"}', 400, "malformed_body", "UTF-8"),
        (START % "NaN", 422, "value_refused", "NaN"),
        (START % "-Infinity", 422, "value_refused", "infinity"),
        (START % "1e999", 422, "value_refused", "infinity"),
        (START % "9223372036854775808", 422, "value_refused", "64 bit"),
        (START % ("9" * 10_000), 422, "value_refused", "64 bit"),
        (START % '"\\u0000"', 422, "value_refused", "NUL"),
        (START % '"\\ud800"', 422, "value_refused", "surrogate"),
        (START % ("[" * 70 + "]" * 70), 422, "value_refused", "64 levels"),
        (START % '{"a": 1, "a": 2}', 422, "value_refused", "twice"),
        ("[" * 100_000, 422, "value_refused", "64 levels"),
        (START % json.dumps("x" * 10_000_000), 413, "body_too_large", "8,000,000"),
    ],
)
def test_odd_bodies(
    anybody: APIClient, body: bytes | str, status: int, code: str, word: str
) -> None:
    refused = problem(post(anybody, body), status, code)
    assert word in refused["detail"]
    assert not Run.objects.exists()


def test_where_a_body_is_malformed(anybody: APIClient) -> None:
    (error,) = problem(post(anybody, '{"a": 1,\n  b}'), 400, "malformed_body")["errors"]
    assert (error["line"], error["column"]) == (2, 3)
    (error,) = problem(post(anybody, START % "NaN"), 422, "value_refused")["errors"]
    assert error["pointer"] == "/input/name"


def test_a_body_that_is_larger_than_it_says(anybody: APIClient) -> None:
    # What counts is what is read: a wrong Content-Length only cuts the body off.
    refused = post(anybody, START % '"Ann"', CONTENT_LENGTH="12")
    problem(refused, 400, "malformed_body")
    problem(post(anybody, b"{}", CONTENT_LENGTH="99999999999999999999"), 413, "body_too_large")
    problem(post(anybody, b"{}", CONTENT_LENGTH="many"), 422, "input_invalid")


def test_a_body_in_chunks(anybody: APIClient) -> None:
    refused = post(anybody, b"", HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")
    problem(refused, 411, "length_required")


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "odd"],
)
def test_other_formats(anybody: APIClient, media_type: str) -> None:
    problem(post(anybody, START % "1", media_type), 415, "unsupported_media_type")


def test_formats_that_we_do_not_speak(anybody: APIClient) -> None:
    problem(anybody.get(RUNS, headers={"Accept": "application/xml"}), 406, "not_acceptable")
    problem(anybody.get(RUNS, {"format": "xml"}), 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods(anybody: APIClient, method: str) -> None:
    refused = anybody.generic(method, RUNS)
    problem(refused, 405, "method_not_allowed")
    assert refused["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_options_and_head(anybody: APIClient) -> None:
    options = anybody.options(RUNS)
    assert (options.status_code, options["Allow"]) == (204, "GET, POST, HEAD, OPTIONS")
    head = anybody.head(RUNS)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("address", ["", "/", "/v1/", "/v2/runs/", "/v1/rums/", "/v1/runs/7/"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_addresses_that_lead_nowhere(address: str, method: str) -> None:
    problem(APIClient().generic(method, f"/api{address}"), 404, "not_found")


def test_an_address_without_its_last_slash() -> None:
    refused = problem(APIClient().post(f"{API}/runs", {}, "json"), 404, "not_found")
    assert "slash" in refused["detail"]


@pytest.mark.parametrize(
    "token", ["", "x", "x y", "\xff\xfe", "a\x00b", "caf\xe9", "%00", "x" * 5000]
)
def test_odd_tokens(token: str) -> None:
    refused = APIClient().get(RUNS, headers={"Authorization": f"Token {token}"})
    problem(refused, 401, "authentication_failed")
    assert refused["WWW-Authenticate"] == "Token"


def test_a_session_works_and_is_protected_from_other_sites() -> None:
    user = User.objects.create_superuser("root", password="secret")  # noqa: S106
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get(RUNS).status_code == 200
    refused = problem(client.post(EVENTS, {"type": "t"}, "json"), 403, "permission_denied")
    assert "CSRF" in refused["detail"]


def test_a_fault_of_ours_tells_nothing_and_is_reported(
    anybody: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise LookupError("the secret of the house")

    monkeypatch.setattr(runs_of_the_api, "runs", fail)
    with pytest.raises(LookupError):
        anybody.get(RUNS)  # reporters of errors see it, as the test client does
    anybody.raise_request_exception = False
    answer = anybody.get(RUNS)
    assert "secret" not in json.dumps(problem(answer, 500, "internal_error"))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("server closed"), 503, "database_unavailable"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (RequestDataTooBig(), 413, "body_too_large"),
        (UnreadablePostError(), 400, "malformed_request"),
        (ExpressionError("no such name", line=2, column=3), 400, "expression_error"),
        (ConfigurationError("wrong"), 500, "configuration"),
    ],
)
def test_errors_of_other_layers(error: Exception, status: int, code: str) -> None:
    answer = handle_exception(error, {"request": Request(RequestFactory().get("/"))})
    assert answer is not None
    document = json.loads(answer.content)
    assert (answer.status_code, document["code"], document["status"]) == (status, code, status)
    assert ("Retry-After" in answer) is (status == 503)


def test_in_debug_django_shows_the_fault(settings: Any) -> None:
    settings.DEBUG = True
    request = Request(RequestFactory().get("/"))
    assert handle_exception(LookupError(), {"request": request}) is None
