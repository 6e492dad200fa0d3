"""Redirects, names that change their address, and TLS: where a call really goes."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from tests.support.assertions import assert_completed, assert_failed
from tests.support.builder import end, http, workflow
from tests.support.certificates import certificate_for
from tests.support.http_server import Reply, Server, http_server, json_reply
from workflows.effects.sealing import new_key
from workflows.models import Run
from workflows.services import secrets
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def web(settings: Settings) -> Iterator[Server]:
    settings.CELERIAC = {
        **settings.CELERIAC,
        "HTTP_PRIVATE": ["127.0.0.1"],
        "SECRET_KEYS": [new_key()],
    }
    with http_server() as server:
        yield server


@pytest.fixture
def other(web: Server) -> Iterator[Server]:
    """A second server, which is another origin."""
    with http_server() as server:
        yield server


def call(engine: Harness, url: str, **fields: Any) -> Run:
    node = http("call", url, next="end", **fields)
    engine.publish(workflow("calling", node, end(output={"answer": "${output}"})))
    return engine.run("calling")


def to(location: str, status: int = 302) -> Reply:
    return Reply(status, b"moved", {"Location": location})


def test_a_redirect_is_an_answer_unless_it_may_be_followed(engine: Harness, web: Server) -> None:
    url = web.on("/a", to("/b"))
    web.on("/b", json_reply("1"))
    assert_failed(call(engine, url), "http_status", "call")
    run = call(engine, url, expect="3xx")
    assert engine.result(run).output["answer"]["headers"]["location"] == "/b"
    assert [each.path for each in web.requests] == ["/a", "/a"]
    run = call(engine, url, redirects=1)
    assert engine.result(run).output["answer"]["body"] == 1


def test_each_hop_is_checked(engine: Harness, web: Server) -> None:
    for hidden in ("http://169.254.169.254/latest", "http://[::1]/", "http://127.0.0.2/"):
        url = web.on("/a", to(hidden))
        assert_failed(call(engine, url, redirects=3), "http_refused_address", "call")
    assert_failed(call(engine, web.on("/a", to("file:///etc/passwd")), redirects=3), "http_url")


def test_redirects_end(engine: Harness, web: Server) -> None:
    run = call(engine, web.on("/a", to("/a")), redirects=4)
    assert_failed(run, "http_redirects", "call")
    assert len(web.requests) == 5


@pytest.mark.parametrize(
    ("status", "method", "becomes", "body"),
    [
        (301, "POST", "GET", b""),
        (302, "POST", "GET", b""),
        (303, "PUT", "GET", b""),
        (303, "HEAD", "HEAD", b""),
        (307, "POST", "POST", b"text"),
        (308, "PUT", "PUT", b"text"),
    ],
)
def test_what_a_redirect_makes_of_the_request(
    engine: Harness, web: Server, status: int, method: str, becomes: str, body: bytes
) -> None:
    web.on("/b", Reply())
    given = None if method == "HEAD" else "text"
    url = web.on("/a", to("/b", status))
    assert_completed(call(engine, url, method=method, body=given, redirects=1))
    first, second = web.requests
    assert (second.method, second.body) == (becomes, body)
    assert second.headers["idempotency-key"] == first.headers["idempotency-key"]


def test_what_one_origin_is_told_is_not_passed_on(
    engine: Harness, web: Server, other: Server
) -> None:
    secrets.set_secret("api", "correct horse")
    url = web.on("/a", to(other.on("/b", Reply())))
    headers = {
        "X-Api-Key": {"secret": "api"},
        "Authorization": "Basic x",
        "Cookie": "a=b",
        "X-Plain": "p",
    }
    run = call(engine, url, headers=headers, query={"k": {"secret": "api"}}, redirects=1)
    assert_completed(run)
    assert web.requests[0].headers["x-api-key"] == "correct horse"
    (passed,) = other.requests
    assert not {"x-api-key", "authorization", "cookie"} & set(passed.headers)
    assert passed.headers["x-plain"] == "p"
    assert passed.headers["host"] == f"127.0.0.1:{other.port}"
    assert passed.path == "/b"


def test_a_secret_in_a_body_is_not_passed_on(engine: Harness, web: Server, other: Server) -> None:
    secrets.set_secret("api", "correct horse")
    url = web.on("/a", to(other.on("/b", Reply()), 307))
    run = call(engine, url, method="POST", body={"k": {"secret": "api"}}, redirects=1)
    assert_failed(run, "http_redirects", "call")
    assert other.requests == []


def test_the_address_that_was_checked_is_the_one_that_is_dialled(
    engine: Harness, web: Server, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """A name that is public when it is looked at, and loopback when it is dialled, gains nothing.

    The name is asked for once, and what it answered is dialled.
    """
    settings.CELERIAC = {**settings.CELERIAC, "HTTP_PRIVATE": []}
    real, asked, dialled = socket.getaddrinfo, [], []

    def resolve(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host != "rebinding.example":
            return real(host, port, *args, **options)
        asked.append(host)
        address = "198.41.0.4" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address: tuple[str, int], *_args: Any, **_options: Any) -> socket.socket:
        dialled.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    run = call(engine, f"http://rebinding.example:{web.port}/")
    assert_failed(run, "http_connect", "call")
    assert (asked, dialled) == (["rebinding.example"], ["198.41.0.4"])
    run = call(engine, f"http://rebinding.example:{web.port}/")
    assert_failed(run, "http_refused_address", "call")
    assert (len(asked), dialled) == (2, ["198.41.0.4"])


def test_of_several_addresses_only_the_public_are_dialled(
    engine: Harness, web: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed = ["10.0.0.1", "::1", "127.0.0.1", "169.254.169.254"]
    dialled = []
    real = socket.create_connection

    def connect(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        dialled.append(address[0])
        return real(address, *args, **options)

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket, "getaddrinfo", _resolving(mixed))
    backend = http("call", f"http://mixed.example:{web.port}/", next="end")
    web.on("/", Reply())
    engine.publish(workflow("calling", backend, end()))
    assert_completed(engine.run("calling"))
    assert dialled == ["127.0.0.1"]


def _resolving(addresses: list[str]) -> Any:
    """Return a resolver that knows these addresses of every name, and literals as they are."""

    def resolve(host: Any, port: Any, *_args: Any, **_options: Any) -> Any:
        found = addresses if str(host).endswith(".example") else [host]
        family = socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    return resolve


def test_a_certificate_is_checked_for_the_name_in_the_url(
    engine: Harness, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = certificate_for("api.example", tmp_path)
    monkeypatch.setattr(socket, "getaddrinfo", _resolving(["127.0.0.1"]))
    private = {**settings.CELERIAC, "HTTP_PRIVATE": ["127.0.0.1"]}
    with http_server(context) as server:
        server.on("/", Reply())
        settings.CELERIAC = private
        untrusted = call(engine, f"https://api.example:{server.port}/")
        assert_failed(untrusted, "http_tls", "call")
        settings.CELERIAC = {**private, "HTTP_CA_FILE": authority}
        assert_completed(call(engine, f"https://api.example:{server.port}/"))
        assert server.requests[0].headers["host"] == f"api.example:{server.port}"
        other = call(engine, f"https://other.example:{server.port}/")
        assert_failed(other, "http_tls", "call")


def test_no_redirect_leads_from_https_to_http(
    engine: Harness, web: Server, tmp_path: Path, settings: Settings, monkeypatch: Any
) -> None:
    context, authority = certificate_for("api.example", tmp_path)
    monkeypatch.setattr(socket, "getaddrinfo", _resolving(["127.0.0.1"]))
    settings.CELERIAC = {**settings.CELERIAC, "HTTP_CA_FILE": authority}
    with http_server(context) as server:
        server.on("/", to(web.on("/plain", Reply())))
        run = call(engine, f"https://api.example:{server.port}/", redirects=2)
    assert_failed(run, "http_redirects", "call")
    assert web.requests == []


def test_no_proxy_of_the_environment_is_used(
    engine: Harness, web: Server, other: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, other.url())
    assert_completed(call(engine, web.on("/", Reply())))
    assert other.requests == []
