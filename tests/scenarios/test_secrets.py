"""Secrets on their way: into the request, and into nothing else."""

import base64
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.support.assertions import assert_completed, assert_failed
from tests.support.builder import end, http, workflow
from tests.support.http_server import Reply, Server, http_server, json_reply
from workflows.effects.sealing import new_key
from workflows.models import NodeExecution, Run
from workflows.services import secrets
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

CANARY = "kanarie/9 & +vogel"
AUTHORIZATION = {"Authorization": {"secret": "api", "prefix": "Bearer "}}


@pytest.fixture
def web(settings: Settings) -> Iterator[Server]:
    settings.CELERIAC = {
        **settings.CELERIAC,
        "HTTP_PRIVATE": ["127.0.0.1"],
        "SECRET_KEYS": [new_key()],
    }
    with http_server() as server:
        yield server


def call(engine: Harness, url: str, **fields: Any) -> Run:
    node = http("call", url, next="end", **fields)
    engine.publish(workflow("calling", node, end(output={"answer": "${output}"})))
    return engine.run("calling", {"x": {"secret": "api"}})


def test_a_secret_is_sent_where_it_is_named(engine: Harness, web: Server) -> None:
    """Contract: `secret` references"""
    secrets.set_secret("api", CANARY)
    secrets.set_secret("other", "second value")
    run = call(
        engine,
        web.on("/", Reply()),
        method="POST",
        headers=AUTHORIZATION,
        query={"key": {"secret": "other"}},
        body={"deep": [{"secret": "api"}], "data": "${x}"},
    )
    assert_completed(run)
    (sent,) = web.requests
    assert sent.headers["authorization"] == f"Bearer {CANARY}"
    assert sent.path == "/?key=second+value"
    # What only looks like a reference, and came with the data, is data.
    assert json.loads(sent.body) == {"deep": [CANARY], "data": {"secret": "api"}}


def test_a_secret_is_read_for_every_attempt(engine: Harness, web: Server) -> None:
    secrets.set_secret("api", "first value")
    url = web.on("/", Reply(503), Reply())
    node = http("call", url, headers=AUTHORIZATION, retry={"attempts": 2, "backoff": "PT1H"})
    engine.publish(workflow("calling", node, end()))
    run = engine.start("calling")
    engine.drain()
    secrets.set_secret("api", "second value")
    engine.jump(hours=2)
    assert_completed(run)
    assert [each.headers["authorization"] for each in web.requests] == [
        "Bearer first value",
        "Bearer second value",
    ]


def test_a_secret_that_is_not_there(engine: Harness, web: Server) -> None:
    run = call(engine, web.on("/", Reply()), headers=AUTHORIZATION, retry={"attempts": 3})
    assert_failed(run, "secret_unknown", "call")
    assert web.requests == []


def test_publishing_warns_of_secrets_that_are_not_there(engine: Harness) -> None:
    """It is no error: who keeps secrets may be somebody else, and later."""
    secrets.set_secret("api", CANARY)
    parts = {"headers": {"A": {"secret": "api"}}, "body": {"a/b": [{"secret": "appi"}]}}
    document = workflow(
        "calls", http("call", "https://example.org/", method="POST", **parts), end()
    )
    (warning,) = engine.publish(document).warnings
    assert (warning.code, warning.severity) == ("unknown_secret", "warning")
    assert warning.pointer == "/nodes/1/body/a~1b/0"
    assert "'appi' (did you mean 'api'?)" in warning.message
    secrets.set_secret("appi", CANARY)
    assert engine.publish(document).warnings == []


def test_a_secret_that_no_key_opens(engine: Harness, web: Server, settings: Settings) -> None:
    secrets.set_secret("api", CANARY)
    settings.CELERIAC = {**settings.CELERIAC, "SECRET_KEYS": [new_key()]}
    run = call(engine, web.on("/", Reply()), headers=AUTHORIZATION)
    assert_failed(run, "secret_unreadable", "call")
    assert web.requests == []


def test_a_secret_goes_to_its_hosts_only(engine: Harness, web: Server) -> None:
    secrets.set_secret("api", CANARY, hosts=["api.example.org"])
    run = call(engine, web.on("/", Reply()), headers=AUTHORIZATION)
    assert_failed(run, "secret_refused", "call")
    assert web.requests == []
    secrets.set_hosts("api", [f"127.0.0.1:{web.port}"])
    assert_completed(call(engine, web.url("/"), headers=AUTHORIZATION))


def test_what_comes_back_is_struck_out(engine: Harness, web: Server) -> None:
    secrets.set_secret("api", CANARY)
    packed = base64.b64encode(f"user:{CANARY}".encode()).decode()
    body = {"seen": f"you sent {CANARY}", CANARY: [packed], "deep": {"a": [CANARY]}}
    reply = json_reply(json.dumps(body), headers={"X-Echo": f"Bearer {CANARY}"})
    run = call(engine, web.on("/", reply), headers=AUTHORIZATION)
    answer = engine.result(run).output["answer"]
    assert answer["headers"]["x-echo"] == "Bearer ***"
    assert answer["body"]["seen"] == "you sent ***"
    assert answer["body"]["deep"] == {"a": ["***"]}
    assert set(answer["body"]) == {"seen", "***", "deep"}
    assert answer["body"]["***"] != [packed]
    assert "***" in answer["body"]["***"][0]


def test_a_canary_is_found_nowhere(
    engine: Harness, web: Server, caplog: pytest.LogCaptureFixture, capsys: Any
) -> None:
    """It is in no table, log, page or answer, whatever becomes of the calls that carry it."""
    caplog.set_level(logging.DEBUG)
    secrets.set_secret("api", CANARY)
    echo = json_reply(json.dumps({"said": CANARY}), headers={"Set-Cookie": CANARY})
    broken = json_reply(json.dumps({"said": CANARY})[:-1])
    runs = [
        call(engine, web.on(f"/{number}", reply), **named)
        for number, (reply, named) in enumerate(
            (reply, named)
            for reply in (echo, broken, Reply(500, CANARY.encode()))
            for named in (
                {"headers": AUTHORIZATION},
                {"query": {"key": {"secret": "api"}}},
                {"method": "POST", "body": {"key": {"secret": "api"}}},
            )
        )
    ]
    secrets.set_secret("api", f"{CANARY}\r\nX-Evil: 1")
    runs.append(call(engine, web.url("/last"), headers=AUTHORIZATION))
    assert_failed(runs[-1], "http_request", "call")
    assert len(web.requests) == 9
    _assert_nowhere(_everything_in_the_database())
    _assert_nowhere(caplog.text)
    _assert_nowhere("".join(capsys.readouterr()))
    for run in runs:
        _assert_nowhere(_everything_told_of(run))


def _assert_nowhere(text: str) -> None:
    for form in (CANARY, "kanarie", "vogel", base64.b64encode(CANARY.encode()).decode()[:12]):
        assert form not in text


def _everything_in_the_database() -> str:
    told = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            told += [str(row) for row in cursor.fetchall()]
    return "\n".join(told)


def _everything_told_of(run: Run) -> str:
    root = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("root")
    browser, api = Client(), APIClient()
    browser.force_login(root)
    api.force_authenticate(root)
    pages = [reverse("admin:workflows_run_change", args=[run.pk])]
    pages += [
        reverse("admin:workflows_nodeexecution_change", args=[each.pk])
        for each in NodeExecution.objects.filter(run=run)
    ]
    told = [browser.get(page).content.decode() for page in pages]
    told += [api.get(f"/api/v1/runs/{run.pk}/{part}").content.decode() for part in ("", "history/")]
    out = io.StringIO()
    call_command("workflow", "show", str(run.pk), "--json", stdout=out, stderr=sys.stderr)
    return "\n".join([*told, out.getvalue()])
