"""Starts, events and queries that are refused, with a pointer to the mistake and no trace left."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.integration.api.asking import (
    CLOUD,
    GREETING,
    RUNS,
    cloud,
    problem,
    send,
    start,
)
from workflows.models import Event, Run
from workflows.services import publish

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _published(db: None) -> None:
    publish(json.dumps(GREETING))


@pytest.mark.parametrize(
    ("query", "pointer", "word"),
    [
        ("status=done", "/status", "done"),
        ("status=runing", "/status", "'failed', 'cancelled' (did you mean 'running'?)"),
        ("staus=failed", "/staus", "'status'"),
        ("created_after=yesterday", "/created_after", "format"),
        ("created_after=0001-01-01T00:00:00%2B14:00", "/created_after", "range"),
        ("workflow=a%00b", "/workflow", "ull"),
        ("workflow=a&workflow=b", "/workflow", "once"),
        ("limit=0", "/limit", "200"),
        ("limit=", "/limit", "200"),
        ("limit=%D9%A3", "/limit", "200"),
        ("limit=999999999999999999999", "/limit", "200"),
        ("cursor=x", "/cursor", "next"),
        ("cursor=WyJhIiwiYiJd", "/cursor", "next"),
        ("cursor=WyIyMDIwLTAxLTAxIiwiYiJd", "/cursor", "next"),
        ("cursor=%F0%9F%98%80", "/cursor", "next"),
    ],
)
def test_a_query_that_makes_no_sense(
    anybody: APIClient, query: str, pointer: str, word: str
) -> None:
    refused = problem(anybody.get(f"{RUNS}?{query}"), 400, "query_invalid")
    assert refused["errors"][0]["pointer"] == pointer
    assert word in refused["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "pointer", "word"),
    [
        ({}, "/workflow", "required"),
        ({"workflow": ""}, "/workflow", "blank"),
        ({"workflow": 7}, "/workflow", "string"),
        ({"workflow": "greeting", "imput": {}}, "/imput", "'input'"),
        ({"workflow": "greeting", "input": []}, "/input", "object"),
        ({"workflow": "greeting", "input": None}, "/input", "null"),
        ({"workflow": "greeting", "input": {"name": 7}}, "/input/name", "text"),
        ({"workflow": "greeting", "input": {}}, "/input", "name"),
        ({"workflow": "greeting", "key": "k" * 201}, "/key", "200"),
        ({"workflow": "greeting", "key": ""}, "/key", "blank"),
        ({"workflow": "greeting", "version": "1"}, "/version", "integer"),
        ({"workflow": "greeting", "version": True}, "/version", "integer"),
        ({"workflow": "greeting", "version": 0}, "/version", "1"),
        ({"workflow": "greeting", "version": 2**40}, "/version", "2147483647"),
        ([], "", "object"),
        ("greeting", "", "object"),
        (None, "", "object"),
    ],
)
def test_a_start_that_is_refused(anybody: APIClient, body: Any, pointer: str, word: str) -> None:
    answer = anybody.post(RUNS, json.dumps(body), content_type="application/json")
    refused = problem(answer, 422, "input_invalid")
    assert refused["errors"][0]["pointer"] == pointer
    assert word in refused["errors"][0]["message"]
    assert not Run.objects.exists()


def test_a_whole_number_may_be_written_with_a_point(anybody: APIClient) -> None:
    # To JSON Schema 1.0 is an integer, and some languages write no other numbers.
    assert start(anybody, "greeting", input={"name": "Ann"}, version=1.0).status_code == 202
    refused = problem(start(anybody, "greeting", version=1.5), 422, "input_invalid")
    assert refused["errors"][0]["pointer"] == "/version"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"parallel": 0.5}, "/parallel"),
        ({"tolerate": 1}, "/tolerate"),
        ({"tolerate": {}}, "/tolerate"),
        ({"tolerate": {"count": 1, "percent": None}}, "/tolerate"),
        ({"tolerate": {"count": 1.5}}, "/tolerate/count"),
    ],
)
def test_a_change_of_a_group_that_is_refused(anybody: APIClient, body: Any, pointer: str) -> None:
    run = start(anybody, "greeting", input={"name": "Ann"}).json()["id"]
    address = f"{RUNS}{run}/change-group/"
    refused = problem(anybody.post(address, {"node": "x", **body}, "json"), 422, "input_invalid")
    assert refused["errors"][0]["pointer"] == pointer
    sound = {"node": "x", "parallel": 2.0, "tolerate": {"count": 1.0}}
    problem(anybody.post(address, sound, "json"), 409, "conflict")  # no such group is open


def test_a_start_of_what_is_not_there(anybody: APIClient) -> None:
    near = problem(start(anybody, "greetin"), 404, "not_found")
    assert "'greeting'" in near["detail"]
    problem(start(anybody, "greeting", version=7), 404, "not_found")
    assert not Run.objects.exists()


def test_a_batch_is_refused_as_a_whole(anybody: APIClient) -> None:
    batch = [CLOUD, {**CLOUD, "id": "b", "type": ""}]
    refused = problem(cloud(anybody, batch, "cloudevents-batch"), 422, "input_invalid")
    assert [error["pointer"] for error in refused["errors"]] == ["/1/type"]
    many = problem(cloud(anybody, [CLOUD] * 101, "cloudevents-batch"), 422, "input_invalid")
    assert "100" in many["detail"]
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/type"),
        ({"type": 7}, "/type"),
        ({"type": "t" * 201}, "/type"),
        ({"type": "payment", "kee": "7"}, "/kee"),
        ({"type": "payment", "key": 7}, "/key"),
        ({"type": "payment", "key": "k" * 501}, "/key"),
        ({"type": "payment", "ttl": "soon"}, "/ttl"),
        ({"type": "payment", "ttl": "PT0S"}, "/ttl"),
        ({"type": "payment", "ttl": 60}, "/ttl"),
        ({"type": "payment", "ttl": "P999999999999D"}, "/ttl"),
        ({"type": "payment", "deliver": "some"}, "/deliver"),
        ({"type": "payment", "source": ""}, "/source"),
        ([], ""),
    ],
)
def test_short_forms_that_are_refused(anybody: APIClient, body: Any, pointer: str) -> None:
    refused = problem(send(anybody, body), 422, "input_invalid")
    assert refused["errors"][0]["pointer"] == pointer
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"specversion": "0.3"}, "/specversion"),
        ({"id": None}, "/id"),
        ({"source": "s" * 201}, "/source"),
        ({"time": "noon"}, "/time"),
        ({"subject": 7}, "/subject"),
        ({"data_base64": "AAAA"}, "/data_base64"),
        ({"Extra": "x"}, "/Extra"),
        ({"extra": {"a": 1}}, "/extra"),
    ],
)
def test_cloud_events_that_are_refused(
    anybody: APIClient, changes: dict[str, Any], pointer: str
) -> None:
    refused = problem(cloud(anybody, {**CLOUD, **changes}), 422, "input_invalid")
    assert refused["errors"][0]["pointer"] == pointer
    assert not Event.objects.exists()


def test_other_formats(anybody: APIClient) -> None:
    problem(send(anybody, CLOUD, "application/cloudevents+xml"), 415, "unsupported_media_type")
    problem(cloud(anybody, "text"), 422, "input_invalid")
