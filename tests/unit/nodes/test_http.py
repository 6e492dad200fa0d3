from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import Node, node
from workflows.errors import ExpressionError
from workflows.nodes.outcomes import Continue, Suspend
from workflows.nodes.suspensions import ActivityCall, Resolution


def http(**fields: Any) -> Node:
    return node("http", **{"url": "https://api.example.org/x", **fields})


def given(outcome: Any) -> Any:
    assert isinstance(outcome, Suspend)
    assert isinstance(outcome.wait, ActivityCall)
    return outcome.wait.input


def test_it_asks_for_the_call_with_everything_rendered() -> None:
    call = http(
        method="POST",
        url="https://api.example.org/orders/${order.id}",
        headers={"X-Trace": "${order.id}"},
        query={"page": "${n}", "tag": ["a", "${order.id}"]},
        body={"total": "${order.total}"},
        expect=[201, "3xx", "400-404"],
        redirects=2,
    ).run(order={"id": "o-7", "total": 12.5}, n=3)
    shown = {
        "method": "POST",
        "url": "https://api.example.org/orders/o-7",
        "headers": {"X-Trace": "o-7"},
        "query": {"page": 3, "tag": ["a", "o-7"]},
        "body": {"total": 12.5},
    }
    asked = {
        **shown,
        "secrets": {},
        "expect": [[201, 201], [300, 399], [400, 404]],
        "redirects": 2,
        "idempotency_header": "Idempotency-Key",
        "seconds": None,
    }
    assert call == Suspend(ActivityCall("http", asked), input=shown)


def test_limits_go_with_the_call() -> None:
    outcome = http(timeout="PT5S", queue="slow", retry={"attempts": 4}).run()
    assert isinstance(outcome, Suspend)
    assert isinstance(outcome.wait, ActivityCall)
    limits = (outcome.wait.queue, outcome.wait.attempts, outcome.wait.timeout)
    assert limits == ("slow", 4, timedelta(seconds=5))
    assert given(outcome)["seconds"] == 5


def test_without_more_any_success_of_a_get_is_expected() -> None:
    asked = given(http().run())
    assert (asked["method"], asked["expect"], asked["body"]) == ("GET", [[200, 299]], None)


def test_a_secret_is_named_and_its_place_is_told() -> None:
    call = http(
        headers={"Authorization": {"secret": "api", "prefix": "Bearer "}},
        query={"k/y~": {"secret": "key"}},
        body={"deep": ["x", {"secret": "inner"}]},
    )
    assert call.problems == []
    outcome = call.run()
    assert given(outcome)["secrets"] == {
        "/headers/Authorization": "api",
        "/query/k~1y~0": "key",
        "/body/deep/1": "inner",
    }
    assert isinstance(outcome, Suspend)
    assert outcome.input["headers"] == {"Authorization": {"secret": "api", "prefix": "Bearer "}}


def test_data_cannot_ask_for_a_secret() -> None:
    asked = given(http(body={"order": "${order}"}).run(order={"secret": "api"}))
    assert asked["body"] == {"order": {"secret": "api"}}
    assert asked["secrets"] == {}
    assert given(http(body="${order}").run(order={"secret": "api"}))["secrets"] == {}


def test_an_object_with_other_keys_is_no_reference() -> None:
    call = http(body={"secret": "hush", "user": 1})
    assert given(call.run())["secrets"] == {}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"url": ["x"]}, "/url"),
        ({"url": " "}, "/url"),
        ({"url": "ftp://x/y"}, "/url"),
        ({"url": "ftp://${host}/y"}, "/url"),
        ({"url": "api.example.org/${id}"}, "/url"),
        ({"url": "https:///x"}, "/url"),
        ({"expect": "2xy"}, "/expect"),
        ({"expect": [200, 99]}, "/expect"),
        ({"expect": []}, "/expect"),
        ({"headers": ["x"]}, "/headers"),
        ({"headers": {"a b": "x"}}, "/headers"),
        ({"headers": {"Host": "x"}}, "/headers"),
        ({"headers": {"content-length": "1"}}, "/headers"),
        ({"headers": {"idempotency-key": "mine"}}, "/headers"),
        ({"query": "a=b"}, "/query"),
        ({"idempotency_header": "a b"}, "/idempotency_header"),
        ({"headers": {"Authorization": {"secret": "${name}"}}}, "/headers/Authorization/secret"),
        ({"body": [{"secret": "two words"}]}, "/body/0/secret"),
    ],
)
def test_what_cannot_be_sent_is_refused(fields: dict[str, Any], pointer: str) -> None:
    assert [at for at, _ in http(**fields).problems] == [pointer]


@pytest.mark.parametrize(
    "url",
    [
        "${url}",
        "HTTPS://Example.org",
        "http${tls ? 's' : ''}://x/",
        "https://${host}/",
        "http://[::1]/",
    ],
)
def test_a_url_may_come_from_the_context(url: str) -> None:
    assert http(url=url).problems == []


@pytest.mark.parametrize("fields", [{"method": "TRACE"}, {"redirects": 11}, {"expect": {"a": 1}}])
def test_fields_have_bounds(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        http(**fields)


def test_the_answer_is_put_at_result() -> None:
    answer = {"status": 200, "headers": {}, "body": {"id": 1}}
    call = http(result="order.answer")
    outcome = call.resume(Resolution("activity", answer), order={"id": 7})
    assert outcome == Continue({"order": {"id": 7, "answer": answer}})
    assert call.kind.sets(call.config) == ("order.answer",)


def test_a_template_that_does_not_render_is_an_error() -> None:
    with pytest.raises(ExpressionError):
        http(body="${missing}").run()


def test_ports() -> None:
    assert http(next="a", on_error="b").ports == {"next": "a", "on_error": "b"}
