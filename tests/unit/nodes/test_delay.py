from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import NOW, node
from workflows.nodes.outcomes import Continue, Fail, Suspend
from workflows.nodes.suspensions import Resolution, TimerWait


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("PT5M", timedelta(minutes=5)),
        ("P2D", timedelta(days=2)),
        ("PT0S", timedelta(0)),
        ("PT1.5S", timedelta(seconds=1.5)),
    ],
)
def test_for_sleeps_for_a_duration(text: str, after: timedelta) -> None:
    delay = node("delay", for_=text)
    assert delay.problems == []
    assert delay.run() == Suspend(TimerWait(after=after))


@pytest.mark.parametrize(
    ("value", "after"),
    [("PT5M", timedelta(minutes=5)), (90, timedelta(seconds=90)), (1.5, timedelta(seconds=1.5))],
)
def test_for_can_be_computed_as_duration_or_seconds(value: Any, after: timedelta) -> None:
    delay = node("delay", for_="${wait}")
    assert delay.problems == []
    assert delay.run(wait=value) == Suspend(TimerWait(after=after))


@pytest.mark.parametrize(
    ("text", "meant"), [("1 day", "'P1D'"), ("30s", "'PT30S'"), ("5 Minutes", "'PT5M'")]
)
def test_a_duration_as_people_write_it_is_refused_with_its_iso_form(text: str, meant: str) -> None:
    ((pointer, message),) = node("delay", for_=text).problems
    assert pointer == "/for"
    assert message.endswith(f"; did you mean {meant}?")


def test_for_can_be_a_duration_of_cel() -> None:
    outcome = node("delay", for_="${duration('90s')}").run()
    assert outcome == Suspend(TimerWait(after=timedelta(seconds=90)))


def test_for_can_be_filled_in_as_text() -> None:
    outcome = node("delay", for_="PT${hours}H").run(hours=3)
    assert outcome == Suspend(TimerWait(after=timedelta(hours=3)))


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2026-04-01T09:00:00Z", datetime(2026, 4, 1, 9, tzinfo=UTC)),
        ("2026-04-01T09:00:00+02:00", datetime(2026, 4, 1, 7, tzinfo=UTC)),
        ("2020-01-01T00:00:00Z", datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)
def test_until_sleeps_until_a_moment_even_a_past_one(text: str, until: datetime) -> None:
    delay = node("delay", until=text)
    assert delay.problems == []
    assert delay.run() == Suspend(TimerWait(until=until))


@pytest.mark.parametrize("until", ["${order.due}", "order.due", " order.due "])
def test_until_can_be_a_template_or_bare_cel(until: str) -> None:
    outcome = node("delay", until=until).run(order={"due": "2026-04-01T09:00:00Z"})
    assert outcome == Suspend(TimerWait(until=datetime(2026, 4, 1, 9, tzinfo=UTC)))


def test_until_can_be_counted_from_now() -> None:
    outcome = node("delay", until="now + duration('3600s')").run()
    assert outcome == Suspend(TimerWait(until=NOW + timedelta(hours=1)))


@pytest.mark.parametrize(
    "value", ["soon", "5 days", -1, "-PT5M", True, None, [], "P99999D", 1e300, "P999999999999D"]
)
def test_a_computed_duration_that_is_none_fails_with_its_type(value: Any) -> None:
    outcome = node("delay", for_="${wait}").run(wait=value)
    assert isinstance(outcome, Fail)
    assert outcome.code == "delay_invalid"
    assert "ISO 8601" in outcome.message
    assert "soon" not in outcome.message


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "2026-04-01",
        "2026-04-01T09:00:00",
        "2026-13-01T09:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "1700000000",
        1_700_000_000,
        None,
        False,
    ],
)
def test_a_computed_moment_that_is_none_fails_with_its_type(value: Any) -> None:
    outcome = node("delay", until="${due}").run(due=value)
    assert isinstance(outcome, Fail)
    assert outcome.code == "delay_invalid"
    assert "RFC 3339" in outcome.message
    assert "soon" not in outcome.message


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, ""),
        ({"for_": "PT1S", "until": "2026-04-01T09:00:00Z"}, ""),
        ({"for_": "5 minutes"}, "/for"),
        ({"for_": ""}, "/for"),
        ({"until": "2026-04-01"}, "/until"),
        ({"until": ""}, "/until"),
    ],
)
def test_check_wants_exactly_one_that_can_be_read(fields: dict[str, str], pointer: str) -> None:
    assert [found for found, _ in node("delay", **fields).problems] == [pointer]


def test_the_inner_name_of_for_is_no_field() -> None:
    with pytest.raises(ValidationError, match="duration"):
        node("delay", duration="PT1S")


def test_it_goes_on_with_its_context_when_the_time_has_come() -> None:
    assert node("delay", for_="PT1S").resume(Resolution(by="timer"), x=1) == Continue({"x": 1})


def test_a_cycle_through_it_cannot_spin() -> None:
    assert node("delay", for_="PT1S").kind.is_bounded
