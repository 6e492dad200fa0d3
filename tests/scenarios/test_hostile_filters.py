"""Filters that ask for too much: they hold up neither who sends the event nor the other waits."""

import itertools
import time
from typing import Any

import pytest

from tests.support.assertions import assert_at_rest, assert_completed, assert_waiting_for
from tests.support.builder import end, wait_event, workflow
from tests.support.orders import ORDERS, Order, engine_in
from workflows import services
from workflows.engine import matching
from workflows.expressions import limits
from workflows.models import Candidate, Event, Run, Suspension, Thread
from workflows.selectors.runs import context_of
from workflows.services import delivering
from workflows.testing import Harness
from workflows.testing.harness import VirtualClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

STEPS = 20_000
#: More than there are steps for, over 400 items; and as good as nothing over none.
HEAVY = "items.all(x, items.all(y, true)) && event.data != 0"
#: The same of what an event brings: it fits unless there is too much of it.
HEAVY_EVENT = "event.data.all(x, event.data.all(y, true))"
ITEMS = list(range(400))
#: Anybody may start a run of it with as many items as he likes.
CROWDED = workflow(
    "wait",
    wait_event("ask", "paid", key="order", filter=HEAVY),
    end(output={"got": "${event.data}"}),
)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_UNITS", STEPS)


@pytest.fixture
def crowded(engine: Harness) -> Harness:
    engine.publish(CROWDED)
    return engine


def begin(engine: Harness, items: list[int]) -> Run:
    run = engine.start("wait", {"order": "A1", "items": items})
    engine.jump(milliseconds=1)  # waits have an order
    return run


def send(data: Any = 1, **options: Any) -> services.Receipt:
    """Send an event, and leave to others what is left of it."""
    return services.send_event("paid", key="A1", data=data, **options)


def reasons(event: Event) -> list[str]:
    event.refresh_from_db()
    return [miss["why"] for miss in event.misses]


def assert_stopped(reason: str) -> None:
    assert reason.startswith("the filter failed: ")
    assert f"{STEPS} steps were not enough" in reason


def test_of_forty_hostile_filters_the_sender_pays_for_one(crowded: Harness) -> None:
    hostile = [begin(crowded, ITEMS) for _ in range(40)]
    innocent = begin(crowded, [])
    receipt = send("x")
    assert receipt.woke == ()
    assert len(reasons(receipt.event)) == 1
    assert Candidate.objects.count() == 40
    crowded.drain()
    assert_completed(innocent, {"got": "x"})
    for run in hostile:
        assert_waiting_for(run, "ask")
    why = reasons(receipt.event)
    assert len(why) == 40
    for reason in why:
        assert_stopped(reason)
    assert not Candidate.objects.exists()


def test_filters_that_are_cheap_are_all_asked_at_once(crowded: Harness) -> None:
    for _ in range(30):
        begin(crowded, [])
    receipt = send(0)
    assert reasons(receipt.event) == ["the filter was false"] * 30
    assert not Candidate.objects.exists()


def test_only_the_time_of_the_filters_counts(
    crowded: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it takes to load the contexts must not make a filter fail, nor a wait be left."""
    now = [0.0]

    def slowly(thread: Thread) -> Any:
        now[0] += 10 * limits.MAX_SECONDS
        return context_of(thread)

    monkeypatch.setattr(time, "thread_time", lambda: now[0])
    monkeypatch.setattr(delivering, "context_of", slowly)
    waits = [begin(crowded, []) for _ in range(5)]
    assert len(send("x", deliver="all").woke) == len(waits)


def test_a_filter_that_takes_too_long_is_stopped_by_the_clock_too(
    crowded: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one had less than the whole, so it is asked again, and may take as long."""
    ticks = itertools.count(step=limits.MAX_SECONDS / 10)
    first, second = begin(crowded, list(range(70))), begin(crowded, list(range(70)))
    monkeypatch.setattr(time, "thread_time", lambda: next(ticks))
    monkeypatch.setattr(limits, "_LOOK_EVERY", 4000)  # it takes about 20,000 steps: five looks
    receipt = send("x", deliver="all")
    assert len(receipt.woke) == 1
    assert Candidate.objects.count() == 1
    crowded.drain()
    for run in (first, second):
        assert_completed(run, {"got": "x"})
    assert reasons(receipt.event) == []


def test_an_event_for_all_reaches_everybody_around_the_hostile_ones(crowded: Harness) -> None:
    crowd = [begin(crowded, ITEMS if place % 3 else []) for place in range(9)]
    receipt = send("x", deliver="all")
    assert len(receipt.woke) == 1
    crowded.drain()
    for run in crowd[::3]:
        assert_completed(run, {"got": "x"})
    receipt.event.refresh_from_db()
    assert len(receipt.event.taken_by) == 3
    assert len(reasons(receipt.event)) == 6


def test_an_event_for_one_is_not_given_to_a_second(crowded: Harness) -> None:
    first, _, second, third = (begin(crowded, items) for items in (ITEMS, ITEMS, [], []))
    event = send("x").event
    crowded.drain()
    assert_completed(second, {"got": "x"})
    assert_waiting_for(first, "ask")
    assert_waiting_for(third, "ask")
    assert len(reasons(event)) == 2
    assert not Candidate.objects.exists()


def test_the_sweeper_goes_on_when_the_message_is_lost(crowded: Harness) -> None:
    begin(crowded, ITEMS)
    begin(crowded, ITEMS)
    innocent = begin(crowded, [])
    send("x")
    assert crowded.lose_messages() == 1
    crowded.jump(seconds=10)
    assert_waiting_for(innocent, "ask")
    crowded.jump(seconds=10)
    assert_completed(innocent, {"got": "x"})


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_the_order_of_messages_changes_nothing(order: Order) -> None:
    with engine_in(order, VirtualClock()) as engine:
        engine.publish(CROWDED)
        runs = [begin(engine, items) for items in (ITEMS, ITEMS, [], ITEMS, [])]
        event = send("x", deliver="all").event
        late = begin(engine, [])
        engine.drain()
        for run in runs[2::2]:
            assert_completed(run, {"got": "x"})
        event.refresh_from_db()
        assert len(event.taken_by) == 2
        assert len(event.misses) == 3
        assert_waiting_for(late, "ask")


def test_a_wait_that_opens_meanwhile_has_its_turn_behind_the_others(crowded: Harness) -> None:
    begin(crowded, ITEMS)
    begin(crowded, ITEMS)
    older = begin(crowded, [])
    send("x")
    younger = crowded.start("wait", {"order": "A1", "items": []})
    crowded.box.messages.reverse()  # it opens its wait before the others are asked
    crowded.pump.step()
    assert Candidate.objects.count() == 3
    crowded.drain()
    assert_completed(older, {"got": "x"})
    assert_waiting_for(younger, "ask")
    send("y")
    crowded.drain()
    assert_completed(younger, {"got": "y"})


def test_a_wait_that_opens_meanwhile_is_not_forgotten(crowded: Harness) -> None:
    begin(crowded, ITEMS)
    begin(crowded, ITEMS)
    send("x")
    crowded.lose_messages()
    assert_completed(begin(crowded, []), {"got": "x"})


def test_events_keep_their_order_behind_the_hostile_ones(crowded: Harness) -> None:
    begin(crowded, ITEMS)
    begin(crowded, ITEMS)
    one, two = begin(crowded, []), begin(crowded, [])
    for data in ("first", "second", "third"):
        assert send(data).woke == ()
    crowded.drain()
    assert_completed(one, {"got": "first"})
    assert_completed(two, {"got": "second"})
    assert Event.objects.filter(taken_at__isnull=True).count() == 1


def test_a_wait_that_is_over_before_its_turn_is_passed_over(crowded: Harness) -> None:
    begin(crowded, ITEMS)
    begin(crowded, ITEMS)
    cancelled, innocent = begin(crowded, []), begin(crowded, [])
    send("x")
    services.cancel(cancelled.pk)
    crowded.drain()
    assert_at_rest(cancelled)
    assert_completed(innocent, {"got": "x"})


def test_more_waits_than_are_looked_at_at_once(
    crowded: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "MOST_PAIRS", 4)
    runs = [begin(crowded, []) for _ in range(11)]
    assert len(send("x", deliver="all").woke) == 4
    crowded.drain()
    for run in runs:
        assert_completed(run, {"got": "x"})


# --- early events -----------------------------------------------------------------------------


@pytest.fixture
def late(engine: Harness) -> Harness:
    """A workflow whose wait looks at what is in the event."""
    ask = wait_event("ask", "paid", key="order", filter=HEAVY_EVENT, collect=2)
    output = {"got": "${event.map(each, length(each.data))}"}
    engine.publish(workflow("wait", ask, end(output=output)))
    return engine


def keep(engine: Harness, *sizes: int) -> list[Event]:
    """Send an event with so many items for each size, before anybody waits."""
    kept = []
    for size in sizes:
        kept.append(send(list(range(size))).event)
        engine.jump(milliseconds=1)
    return kept


def test_a_wait_that_opens_pays_for_one_hostile_event(late: Harness) -> None:
    kept = keep(late, *[400] * 40, 1, 2, 3)
    run = late.start("wait", {"order": "A1"})
    assert late.pump.step()
    assert [len(reasons(event)) for event in kept] == [1, *[0] * 42]
    assert Candidate.objects.count() == 42
    late.drain()
    assert_completed(run, {"got": [1, 2]})
    for event in kept[:40]:
        (reason,) = reasons(event)
        assert_stopped(reason)
    kept[42].refresh_from_db()
    assert kept[42].taken_at is None
    assert not Candidate.objects.exists()


def test_early_events_are_collected_in_order_around_hostile_ones(late: Harness) -> None:
    keep(late, 3, 400, 400)
    run = begin(late, [])
    assert [len(each.collected) for each in Suspension.objects.all()] == [1]
    keep(late, 400, 400, 7)
    late.drain()
    assert_completed(run, {"got": [3, 7]})


def test_more_early_events_than_are_looked_at_at_once(
    late: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "MOST_PAIRS", 4)
    keep(late, *[400] * 9, 1, 2)
    run = begin(late, [])
    assert_completed(run, {"got": [1, 2]})
    assert not Candidate.objects.exists()


def test_a_wait_that_times_out_before_its_turn_leaves_the_event_to_others(
    engine: Harness,
) -> None:
    ask = wait_event("ask", "paid", key="order", filter=HEAVY_EVENT, timeout="PT5S")
    engine.publish(workflow("wait", {**ask, "on_timeout": "end"}, end(output={})))
    keep(engine, 400, 400, 1)
    run = engine.start("wait", {"order": "A1"})
    engine.pump.step()
    engine.lose_messages()
    engine.jump(seconds=6)
    assert_completed(run, {})
    engine.jump(seconds=20)
    assert not Candidate.objects.exists()
    assert Event.objects.filter(taken_at__isnull=True).count() == 3
