"""Workflows and versions over the API."""

import json
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.integration.api.asking import API, GREETING, ORDER, ClientOf, problem
from workflows.models import WorkflowVersion
from workflows.services import publish

pytestmark = pytest.mark.django_db

VERSIONS = f"{API}/workflows/greeting/versions/"
YAML = """\
workflow: greeting
title: Say hello
nodes:
  - {id: start, type: start, next: greet}
  - {id: greet, type: edit, entries: [{set: text, value: hello}], next: end}
  - {id: end, type: end}
"""


def post(client: APIClient, text: str, media_type: str = "application/yaml", **more: Any) -> Any:
    return client.post(VERSIONS, text.encode(), content_type=media_type, **more)


def test_publishing_yaml(anybody: APIClient) -> None:
    first = post(anybody, YAML)
    assert first.status_code == 201, first.content
    body = first.json()
    assert (body["workflow"], body["number"], body["is_new"]) == ("greeting", 1, True)
    assert body["published_by"] == "user1"
    assert first["Location"] == f"{VERSIONS}1/"
    assert first["ETag"] == f'"{body["digest"]}"'


def test_the_same_content_again_is_the_same_version(anybody: APIClient) -> None:
    first = post(anybody, YAML)
    again = post(anybody, YAML + "\n# only a comment more\n")
    assert again.status_code == 200
    assert again.json() == {**first.json(), "is_new": False}
    changed = post(anybody, YAML.replace("hello}", "good day}"))
    assert (changed.status_code, changed.json()["number"]) == (201, 2)


def test_publishing_json(anybody: APIClient) -> None:
    answer = post(anybody, json.dumps(GREETING), "application/json; charset=utf-8")
    assert answer.status_code == 201, answer.content
    assert answer.json()["warnings"] == []


def test_a_warning_is_told_and_is_no_refusal(anybody: APIClient) -> None:
    text = YAML.replace("value: hello", 'value: "${nobody_sets_this}"').replace(
        "title: Say hello", "input: {type: object, properties: {}}"
    )
    answer = post(anybody, text)
    assert answer.status_code == 201
    (warning,) = answer.json()["warnings"]
    assert (warning["severity"], warning["line"]) == ("warning", 5)
    assert "nobody_sets_this" in warning["message"]


def test_every_mistake_has_its_place(anybody: APIClient) -> None:
    text = YAML.replace("next: end", "next: edn").replace("type: start", "type: strat")
    refused = problem(post(anybody, text), 422, "definition_invalid")
    places = {(error["pointer"], error["line"]) for error in refused["errors"]}
    assert ("/nodes/0/type", 4) in places
    assert ("/nodes/1/next", 5) in places
    assert all(
        error["column"] and error["code"] and error["message"] for error in refused["errors"]
    )
    assert any("'start'" in error["message"] for error in refused["errors"])
    assert not WorkflowVersion.objects.exists()


def test_a_document_of_another_workflow(anybody: APIClient) -> None:
    text = YAML.replace("workflow: greeting", "workflow: farewell")
    refused = problem(post(anybody, text), 422, "definition_invalid")
    (error,) = refused["errors"]
    assert (error["pointer"], error["line"], error["code"]) == ("/workflow", 1, "other_workflow")
    assert not WorkflowVersion.objects.exists()


@pytest.mark.parametrize(
    ("text", "media_type", "status", "code"),
    [
        ("", "application/yaml", 422, "definition_invalid"),
        ("[1", "application/json", 422, "definition_invalid"),
        ("- a\n b: [", "application/yaml", 422, "definition_invalid"),
        ("a: \0", "application/yaml", 422, "definition_invalid"),
        ("[" * 5000, "application/json", 422, "definition_invalid"),
        ('{"workflow": NaN, "workflow": 9223372036854775808}', "application/json", 422, None),
        ("workflow: &a [*a]", "application/yaml", 422, "definition_invalid"),
        (YAML, "text/plain", 415, "unsupported_media_type"),
        (YAML, "application/octet-stream", 415, "unsupported_media_type"),
        ("a" * 10_000_000, "application/yaml", 413, "body_too_large"),
    ],
)
def test_odd_documents(
    anybody: APIClient, text: str, media_type: str, status: int, code: str | None
) -> None:
    problem(post(anybody, text, media_type), status, code or "definition_invalid")
    assert not WorkflowVersion.objects.exists()


def test_a_document_that_is_not_utf_8(anybody: APIClient) -> None:
    answer = anybody.post(VERSIONS, b"workflow: \xff", content_type="application/yaml")
    problem(answer, 400, "malformed_body")


def test_showing_a_version(anybody: APIClient) -> None:
    post(anybody, YAML)
    answer = anybody.get(f"{VERSIONS}1/")
    body = answer.json()
    assert body["document"]["title"] == "Say hello"
    assert answer["ETag"] == f'"{body["digest"]}"'
    unchanged = anybody.get(f"{VERSIONS}1/", headers={"If-None-Match": answer["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_listing_versions(anybody: APIClient) -> None:
    for word in ("one", "two", "three"):
        post(anybody, YAML.replace("hello}", word + "}"))
    rows = anybody.get(VERSIONS).json()
    assert [row["number"] for row in rows["results"]] == [3, 2, 1]
    assert rows["next"] is None
    assert "document" not in rows["results"][0]


def test_workflows(anybody: APIClient) -> None:
    publish(json.dumps(ORDER))
    post(anybody, YAML)
    post(anybody, YAML.replace("hello}", "good day}"))
    rows = anybody.get(f"{API}/workflows/").json()["results"]
    assert [(row["name"], row["title"], row["latest"]) for row in rows] == [
        ("greeting", "Say hello", 2),
        ("shop/order", "", 1),
    ]
    one = anybody.get(f"{API}/workflows/shop/order/").json()
    assert one == rows[1]
    assert one["digest"] == anybody.get(f"{API}/workflows/shop/order/versions/1/").json()["digest"]


def test_what_is_not_there(anybody: APIClient) -> None:
    post(anybody, YAML)
    near = problem(anybody.get(f"{API}/workflows/greetin/"), 404, "not_found")
    assert "'greeting'" in near["detail"]
    for address in ("7/", "0/", "x/", "99999999999999999999/"):
        problem(anybody.get(VERSIONS + address), 404, "not_found")
    for name in ("Gr%C3%BC%C3%9Fe", "a%00b", "..", "a//b", "-x"):
        problem(anybody.get(f"{API}/workflows/{name}/"), 404, "not_found")


def test_lists_ask_the_database_a_fixed_number_of_times(
    anybody: APIClient, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        publish(json.dumps({**GREETING, "workflow": f"greeting{number}"}))
        post(anybody, YAML.replace("hello}", f"hello{number}}}"))
    with django_assert_num_queries(1):
        anybody.get(f"{API}/workflows/")
    with django_assert_num_queries(2):
        anybody.get(VERSIONS)
    with django_assert_num_queries(2):
        anybody.get(f"{VERSIONS}1/")


CODED = YAML.replace(
    "type: edit, entries: [{set: text, value: hello}]", "type: code, source: \"context['n'] = 1\""
)


def test_code_that_is_off_is_refused_at_its_place(anybody: APIClient) -> None:
    answer = post(anybody, CODED)
    found = problem(answer, 422, "definition_invalid")
    (told,) = found["errors"]
    assert (told["code"], told["pointer"], told["line"]) == ("not_allowed", "/nodes/1/type", 5)
    assert "CELERIAC_CODE" in told["message"]


def test_trusted_code_needs_a_permission_of_its_own(
    client_of: ClientOf, settings: Settings
) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "CODE": "trusted"}
    answer = post(client_of("publish_workflow"), CODED)
    found = problem(answer, 403, "permission_refused")
    assert "workflows.publish_trusted_code" in found["detail"]
    assert not WorkflowVersion.objects.exists()
    trusted = client_of("publish_workflow", "publish_trusted_code")
    assert post(trusted, CODED).status_code == 201
