"""Calls of URLs, end to end: a real server on loopback, real connections."""

import gzip
import json
import zlib
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.support.assertions import assert_completed, assert_failed
from tests.support.builder import edit, end, http, workflow
from tests.support.http_server import (
    Reply,
    Server,
    dripping,
    hanging_up,
    http_server,
    json_reply,
    silence,
)
from workflows.models import NodeExecution, Run
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def web(settings: Settings) -> Iterator[Server]:
    """A server that may be called although it is on loopback."""
    settings.CELERIAC = {**settings.CELERIAC, "HTTP_PRIVATE": ["127.0.0.1"]}
    with http_server() as server:
        yield server


def call(engine: Harness, url: str, data: dict[str, object] | None = None, **fields: object) -> Run:
    """Run a workflow of one call, and return the run."""
    node = http("call", url, next="end", **fields)
    engine.publish(workflow("calling", node, end(output={"answer": "${output}"})))
    return engine.run("calling", data)


def body_of(engine: Harness, run: Run) -> object:
    assert_completed(run)
    return engine.result(run).output["answer"]["body"]


def test_everything_that_is_written_is_sent(engine: Harness, web: Server) -> None:
    """Contract: method, url, headers, query, body"""
    url = web.on("/orders/o-7", json_reply('{"id": 7}', 201, headers={"X-Trace": "t"}))
    run = call(
        engine,
        f"{web.url()}orders/${{order.id}}?fixed=1",
        {"order": {"id": "o-7", "tags": ["a b", "ü"], "total": 12.5, "note": None}},
        method="PUT",
        headers={"X-Order": "${order.id}", "X-Count": 3},
        query={"tag": "${order.tags}", "gift": True, "note": "${order.note}"},
        body={"total": "${order.total}", "text": "grüße"},
    )
    assert_completed(run)
    answer = engine.result(run).output["answer"]
    assert (answer["status"], answer["body"]) == (201, {"id": 7})
    assert answer["headers"]["x-trace"] == "t"
    (sent,) = web.requests
    assert sent.method == "PUT"
    assert sent.path == "/orders/o-7?fixed=1&tag=a+b&tag=%C3%BC&gift=true"
    assert (sent.headers["x-order"], sent.headers["x-count"]) == ("o-7", "3")
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["host"] == f"127.0.0.1:{web.port}"
    assert json.loads(sent.body) == {"total": 12.5, "text": "grüße"}
    assert url.endswith("/orders/o-7")


@pytest.mark.parametrize(
    ("body", "headers", "sent", "content_type"),
    [
        ("plain ${x}", {}, b"plain 1", "text/plain; charset=utf-8"),
        ([1, {"a": None}], {}, b'[1, {"a": null}]', "application/json"),
        ("<a/>", {"content-type": "text/xml"}, b"<a/>", "text/xml"),
        (
            {"a": "${x}", "b": ["c d", True]},
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"a=1&b=c+d&b=true",
            "application/x-www-form-urlencoded",
        ),
    ],
)
def test_a_body_is_text_json_or_a_form(
    engine: Harness,
    web: Server,
    *,
    body: object,
    headers: dict[str, str],
    sent: bytes,
    content_type: str,
) -> None:
    run = call(engine, web.on("/", Reply()), {"x": 1}, method="POST", body=body, headers=headers)
    assert_completed(run)
    assert web.requests[0].body == sent
    assert web.requests[0].headers["content-type"] == content_type


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(200), None),
        (json_reply('{"n": 1.0, "big": 9007199254740993}'), {"n": 1.0, "big": 9007199254740993}),
        (Reply(200, b"[1]", {"Content-Type": "application/problem+json; charset=utf-8"}), [1]),
        (Reply(200, "grün".encode(), {"Content-Type": "text/html"}), "grün"),
        (Reply(200, b"gr\xfcn", {"Content-Type": "text/plain; charset=iso-8859-1"}), "grün"),
        (Reply(200, b"\xff\x00\x01"), {"base64": "/wAB"}),
        (Reply(200, b"a\x00b", {"Content-Type": "text/plain"}), {"base64": "YQBi"}),
        (Reply(200, b"x", {"Content-Type": "text/plain; charset=punycode"}), {"base64": "eA=="}),
        (Reply(200, gzip.compress(b"packed"), {"Content-Encoding": "gzip"}), "packed"),
        (
            Reply(200, gzip.compress(b"in ") + gzip.compress(b"two"), {"Content-Encoding": "gzip"}),
            "in two",
        ),
        (Reply(200, gzip.compress(b"padded") + bytes(9), {"Content-Encoding": "gzip"}), "padded"),
    ],
)  # fmt: skip
def test_an_answer_is_json_text_or_base64(
    engine: Harness, web: Server, reply: Reply, expected: object
) -> None:
    assert body_of(engine, call(engine, web.on("/", reply))) == expected


def test_a_status_that_is_not_expected_fails_the_node(engine: Harness, web: Server) -> None:
    """Contract: `expect` statuses"""
    run = call(engine, web.on("/", Reply(404)), retry={"attempts": 3})
    assert_failed(run, "http_status", "call")
    assert len(web.requests) == 1  # another attempt would not help
    assert "404" in engine.result(run).error["message"]
    assert_completed(call(engine, web.url("/"), expect=[200, "4xx"]))


def test_every_attempt_carries_the_same_idempotency_key(engine: Harness, web: Server) -> None:
    """Contract: idempotency key header on every attempt"""
    url = web.on("/", Reply(503), Reply(429), Reply(instead=hanging_up), json_reply("1"))
    run = call(engine, url, method="POST", retry={"attempts": 5, "backoff": "PT1S"})
    assert body_of(engine, run) == 1
    keys = {each.headers["idempotency-key"] for each in web.requests}
    assert len(web.requests) == 4
    assert len(keys) == 1
    step = NodeExecution.objects.filter(run=run, node="call", status="completed").get()
    assert keys == {f"{run.pk}:{step.thread_id}:{step.seq}"}
    codes = NodeExecution.objects.filter(run=run, node="call", status="failed").order_by("attempt")
    assert [each.error["code"] for each in codes] == ["http_status", "http_status", "http_broken"]


def test_two_steps_have_two_keys_and_the_header_can_be_named(engine: Harness, web: Server) -> None:
    url = web.on("/", Reply())
    first = http("first", url, idempotency_header="X-Request-Id")
    second = http("second", url, idempotency_header="X-Request-Id")
    engine.publish(workflow("calling", first, second, end()))
    assert_completed(engine.run("calling"))
    assert len({each.headers["x-request-id"] for each in web.requests}) == 2


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "169.254.169.254",
        "10.0.0.1",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
    ],
)
def test_private_addresses_are_refused(engine: Harness, host: str) -> None:
    """Contract: private addresses refused at connect"""
    with http_server() as server:
        url = f"http://{host}:{server.port}/"
        run = call(engine, url, retry={"attempts": 3}, timeout="PT5S")
        assert_failed(run, "http_refused_address", "call")
        assert engine.result(run).error["attempt"] == 1
        assert server.requests == []


def test_a_host_that_is_not_named_is_refused(
    engine: Harness, web: Server, settings: Settings
) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "HTTP_HOSTS": ["api.example.org"]}
    assert_failed(call(engine, web.on("/", Reply())), "http_refused_host", "call")
    settings.CELERIAC = {**settings.CELERIAC, "HTTP_HOSTS": [f"127.0.0.1:{web.port}"]}
    assert_completed(call(engine, web.url("/")))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://",
        "no url",
        "http://me:secret@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:-1/",
        "http://a\nb/",
        "//127.0.0.1/",
        "http://0177.0.0.1/",
    ],
)
def test_what_is_no_url_for_a_call_is_refused(engine: Harness, web: Server, url: str) -> None:
    run = call(engine, "${url}", {"url": url})
    assert_failed(run, "http_url", "call")
    assert "127.0.0.1" not in engine.result(run).error["message"]


def test_a_query_that_is_too_long_is_refused(engine: Harness, web: Server) -> None:
    run = call(engine, web.url(), {"x": "x" * 70_000}, query={"q": "${x}"}, retry={"attempts": 3})
    assert_failed(run, "http_url", "call")
    assert run.error["attempt"] == 1


def test_a_url_that_is_no_text_is_refused(engine: Harness, web: Server) -> None:
    assert_failed(call(engine, "${url}", {"url": 7}), "activity_input", "call")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "ü", "\x7f", ["x"], {"a": 1}, None])
def test_data_cannot_add_headers(engine: Harness, web: Server, value: object) -> None:
    run = call(engine, web.on("/", Reply()), {"v": value}, headers={"X-A": "${v}"})
    assert_failed(run, "http_request", "call")
    assert web.requests == []


@pytest.mark.parametrize("behaviour", [silence, dripping])
def test_no_server_can_stretch_the_time(engine: Harness, web: Server, behaviour: object) -> None:
    url = web.on("/", Reply(instead=behaviour))  # type: ignore[arg-type]
    run = call(engine, url, timeout="PT0.5S", retry={"attempts": 2, "backoff": "PT1S"})
    assert_failed(run, "http_timeout", "call")
    assert len(web.requests) == 2


def test_a_server_that_is_not_there(engine: Harness, web: Server) -> None:
    with http_server() as gone:
        url = gone.url()
    run = call(engine, url, retry={"attempts": 2, "backoff": "PT1S"})
    assert_failed(run, "http_connect", "call")
    assert engine.result(run).error["attempt"] == 2


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"x" * 2000),
        Reply(200, gzip.compress(b"x" * 5_000_000), {"Content-Encoding": "gzip"}),
    ],
)
def test_an_answer_has_a_limit(
    engine: Harness, web: Server, settings: Settings, reply: Reply
) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "CAPTURED_BYTES": 1000}
    assert_failed(call(engine, web.on("/", reply)), "http_too_large", "call")


@pytest.mark.parametrize(
    "text",
    ["{", "NaN", '{"a": 1, "a": 2}', "18446744073709551616", '"\\u0000"', '"\\ud800"', "[" * 100],
)  # fmt: skip
def test_an_answer_that_is_no_plain_json(engine: Harness, web: Server, text: str) -> None:
    assert_failed(call(engine, web.on("/", json_reply(text))), "http_json", "call")


@pytest.mark.parametrize(
    ("packing", "packed"),
    [("gzip", gzip.compress(b"x, y, " * 1000)), ("deflate", zlib.compress(b"x, y, " * 1000))],
    ids=["gzip", "deflate"],  # what gzip makes has the time in it
)
def test_a_packed_answer_is_whole_or_none(
    engine: Harness, web: Server, packing: str, packed: bytes
) -> None:
    """Its length fits what was sent: only the packing tells that the end is missing."""
    headers = {"Content-Encoding": packing, "Content-Type": "text/plain"}
    whole = engine.result(call(engine, web.on("/whole", Reply(200, packed, headers))))
    assert whole.output["answer"]["body"] == "x, y, " * 1000
    for size in (1, 2, len(packed) - 6):
        cut = call(engine, web.on(f"/cut{size}", Reply(200, packed[:size], headers)))
        assert_failed(cut, "http_broken", "call")
    assert_completed(call(engine, web.on("/none", Reply(200, b"", headers)), method="HEAD"))


def test_an_answer_packed_in_an_unknown_way(engine: Harness, web: Server) -> None:
    reply = Reply(200, b"x", {"Content-Encoding": "br"})
    assert_failed(call(engine, web.on("/", reply)), "http_encoding", "call")


def test_the_answer_of_a_failure_can_be_handled(engine: Harness, web: Server) -> None:
    engine.publish(
        workflow(
            "calling",
            http("call", web.on("/", Reply(500)), on_error="mend", next="end"),
            edit("mend", seen="${error.code}", next="end"),
            end(output={"seen": "${seen}"}),
        )
    )
    assert_completed(engine.run("calling"), {"seen": "http_status"})


def test_the_history_keeps_what_was_asked(engine: Harness, web: Server) -> None:
    run = call(engine, web.on("/", json_reply("1")), {"n": 1}, query={"n": "${n}"})
    step = NodeExecution.objects.get(run=run, node="call")
    assert step.input == {
        "method": "GET",
        "url": web.url("/"),
        "headers": {},
        "query": {"n": 1},
        "body": None,
    }
    assert step.output["output"]["status"] == 200
