from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import Node, node
from workflows.errors import ExpressionError
from workflows.nodes.outcomes import Continue, Fail, Suspend
from workflows.nodes.suspensions import EventWait, Resolution

EVENT = {
    "type": "order.paid",
    "source": "shop",
    "id": "e1",
    "key": "7",
    "data": {"sum": 5},
    "time": "2026-03-01T12:00:00Z",
}


def paid(**fields: Any) -> Node:
    return node("wait_event", **{"event": "order.paid", "next": "on", **fields})


def test_it_waits_for_type_and_key() -> None:
    outcome = paid(key="order.id").run(order={"id": "o-7"})
    assert outcome == Suspend(
        EventWait("order.paid", "o-7"), input={"event": "order.paid", "key": "o-7"}
    )


def test_filter_collect_and_timeout_go_with_the_wait() -> None:
    outcome = paid(key="k", filter="event.data.sum > low", collect=3, timeout="PT1H").run(k="x")
    expected = EventWait(
        "order.paid", "x", filter="event.data.sum > low", collect=3, timeout=timedelta(hours=1)
    )
    assert isinstance(outcome, Suspend)
    assert outcome.wait == expected


def test_a_blank_filter_is_none() -> None:
    outcome = paid(filter="  ").run()
    assert isinstance(outcome, Suspend)
    assert outcome.wait == EventWait("order.paid", "")


def test_an_integer_key_becomes_text() -> None:
    outcome = paid(key="7").run()
    assert isinstance(outcome, Suspend)
    assert outcome.wait == EventWait("order.paid", "7")


@pytest.mark.parametrize("value", [None, "", True, 1.5, ["secret"], {"secret": 1}])
def test_a_key_that_is_neither_text_nor_integer_fails_with_its_type(value: Any) -> None:
    outcome = paid(key="k").run(k=value)
    assert isinstance(outcome, Fail)
    assert outcome.code == "key_invalid"
    assert "secret" not in outcome.message


def test_a_key_of_something_absent_is_an_error() -> None:
    with pytest.raises(ExpressionError):
        paid(key="order.id").run(order={})


def test_the_event_lands_at_event() -> None:
    outcome = paid().resume(Resolution(by="event", payload=EVENT), x=1)
    assert outcome == Continue({"x": 1, "event": EVENT})


def test_the_event_lands_at_result() -> None:
    outcome = paid(result="order.paid").resume(Resolution(by="event", payload=EVENT), order={})
    assert outcome == Continue({"order": {"paid": EVENT}})


def test_several_collected_events_land_as_a_list() -> None:
    outcome = paid(collect=2).resume(Resolution(by="event", payload=[EVENT, EVENT]))
    assert outcome == Continue({"event": [EVENT, EVENT]})


def test_the_timeout_leads_to_on_timeout() -> None:
    wait = paid(timeout="PT1S", on_timeout="late")
    assert wait.ports == {"next": "on", "on_timeout": "late"}
    assert wait.resume(Resolution(by="timer"), x=1) == Continue({"x": 1}, port="on_timeout")


def test_without_on_timeout_the_timeout_fails_the_node() -> None:
    outcome = paid(timeout="PT1S").resume(Resolution(by="timer"))
    assert isinstance(outcome, Fail)
    assert outcome.code == "timeout"
    assert "order.paid" in outcome.message
    assert not outcome.fatal


@pytest.mark.parametrize(
    "fields", [{"event": ""}, {"collect": 0}, {"timeout": "-PT1S"}, {"key": ""}]
)
def test_bad_fields_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        paid(**fields)


def test_a_cycle_through_it_cannot_spin_and_it_sets_its_result() -> None:
    wait = paid(result="a")
    assert wait.kind.is_bounded
    assert wait.kind.sets(wait.config) == ("a",)
