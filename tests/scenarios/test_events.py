"""Events: each kept once, given to the wait that it matches, however early or late it comes."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_waiting_for,
)
from tests.support.builder import each, edit, end, fan_in, fan_out, wait_event, workflow
from workflows import services
from workflows.errors import ValueRefusedError
from workflows.models import Event, NodeExecution, Run, Suspension
from workflows.store import suspensions
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

GOT = {"got": "${event.data}"}


@pytest.fixture
def waiting(engine: Harness) -> Harness:
    """A workflow that waits for `paid` with the key in its input."""
    engine.publish(workflow("wait", wait_event("ask", "paid", key="order"), end(output=GOT)))
    return engine


def begin(engine: Harness, order: object) -> Run:
    run = engine.start("wait", {"order": order})
    engine.jump(milliseconds=1)  # waits have an order
    return run


def test_an_event_wakes_the_wait_with_its_key(waiting: Harness) -> None:
    """Contract: By `event` type and `key`."""
    one, two = begin(waiting, "A1"), begin(waiting, "A2")
    receipt = waiting.send("paid", key="A2", data={"sum": 5})
    assert receipt.is_new
    assert len(receipt.woke) == 1
    assert_completed(two, {"got": {"sum": 5}})
    step = NodeExecution.objects.get(run=two, node="ask")
    assert step.input == {"event": "paid", "key": "A2"}
    assert_waiting_for(one, "ask")


def test_a_number_is_a_key_as_its_text(waiting: Harness) -> None:
    run = begin(waiting, 17)
    waiting.send("paid", key="17", data=1)
    assert_completed(run, {"got": 1})


@pytest.mark.parametrize("order", [None, "", True, 1.5, ["A1"], {}])
def test_what_is_no_key_fails_the_node(waiting: Harness, order: object) -> None:
    assert_failed(begin(waiting, order), "key_invalid", "ask")


def test_the_event_lands_at_its_result_with_all_it_is(engine: Harness) -> None:
    """Contract: The event lands at `result`."""
    engine.publish(workflow("wait", wait_event("ask", "paid", result="a.b"), end()))
    run = begin(engine, 1)
    engine.send("paid", data=[1], source="shop", external_id="77")
    got = engine.result(run).output["a"]["b"]
    assert got.pop("time").startswith("2030-01-01T00:00:00")
    assert got == {"type": "paid", "source": "shop", "id": "77", "key": "", "data": [1]}


@pytest.mark.parametrize(("event_type", "key"), [("refunded", "A1"), ("paid", "B1"), ("paid", "")])
def test_another_type_or_key_wakes_nobody(waiting: Harness, event_type: str, key: str) -> None:
    """Contract: By `event` type and `key`."""
    run = begin(waiting, "A1")
    assert waiting.send(event_type, key=key).woke == ()
    assert_waiting_for(run, "ask")


# --- early events ---------------------------------------------------------------------------


def test_an_event_that_comes_first_is_kept_for_its_wait(waiting: Harness) -> None:
    """Contract: An event that arrives before its wait is kept for its `ttl`."""
    assert waiting.send("paid", key="A1", data="early").woke == ()
    waiting.jump(days=6)
    assert_completed(begin(waiting, "A1"), {"got": "early"})
    event = Event.objects.get()
    assert event.taken_at is not None
    assert event.taken_at - event.received_at == timedelta(days=6)
    assert event.taken_by == [str(Suspension.objects.get().pk)]


def test_an_early_event_is_given_once(waiting: Harness) -> None:
    """Contract: It is given to the first wait that matches."""
    waiting.send("paid", key="A1", data="early")
    first, second = begin(waiting, "A1"), begin(waiting, "A1")
    assert_completed(first, {"got": "early"})
    assert_waiting_for(second, "ask")


def test_the_oldest_early_event_is_given_first(waiting: Harness) -> None:
    for data in ("first", "second"):
        waiting.send("paid", key="A1", data=data)
        waiting.jump(seconds=1)
    assert_completed(begin(waiting, "A1"), {"got": "first"})
    assert_completed(begin(waiting, "A1"), {"got": "second"})


def test_an_expired_event_is_not_given(waiting: Harness) -> None:
    """Contract: An event that arrives before its wait is kept for its `ttl`."""
    waiting.send("paid", key="A1", ttl=timedelta(hours=1))
    waiting.jump(hours=1)
    assert_waiting_for(begin(waiting, "A1"), "ask")


def test_an_event_that_is_not_to_be_kept_wakes_only_who_waits_already(waiting: Harness) -> None:
    """A time to live of nothing is nothing, and not the default."""
    waiting.send("paid", key="A1", ttl=timedelta(0))
    run = begin(waiting, "A1")
    assert_waiting_for(run, "ask")
    waiting.send("paid", key="A1", ttl=timedelta(0))
    assert_completed(run)


def test_an_event_after_the_answer_is_kept_for_the_next_wait(waiting: Harness) -> None:
    first = begin(waiting, "A1")
    waiting.send("paid", key="A1", data=1)
    assert waiting.send("paid", key="A1", data=2).woke == ()
    assert_completed(first, {"got": 1})
    assert_completed(begin(waiting, "A1"), {"got": 2})


# --- repeats --------------------------------------------------------------------------------


def test_a_repeated_event_is_acknowledged_and_changes_nothing(waiting: Harness) -> None:
    one, two = begin(waiting, "A1"), begin(waiting, "A1")
    first = waiting.send("paid", key="A1", data=1, source="shop", external_id="77")
    again = waiting.send("paid", key="A1", data=2, source="shop", external_id="77")
    assert (first.is_new, again.is_new) == (True, False)
    assert (again.event.pk, again.woke) == (first.event.pk, first.woke)
    assert_completed(one, {"got": 1})
    assert_waiting_for(two, "ask")


def test_the_same_id_from_another_source_is_another_event(waiting: Harness) -> None:
    one, two = begin(waiting, "A1"), begin(waiting, "A1")
    waiting.send("paid", key="A1", data=1, source="shop", external_id="77")
    waiting.send("paid", key="A1", data=2, source="bank", external_id="77")
    assert_completed(one, {"got": 1})
    assert_completed(two, {"got": 2})


def test_data_that_is_not_json_is_refused(waiting: Harness) -> None:
    run = begin(waiting, "A1")
    for data in (float("nan"), 2**63, "\0", object()):
        with pytest.raises(ValueRefusedError):
            services.send_event("paid", key="A1", data=data)
    assert not Event.objects.exists()
    assert_waiting_for(run, "ask")


# --- several waits on one key -----------------------------------------------------------------


def test_of_several_waits_the_oldest_is_woken(waiting: Harness) -> None:
    """Contract: `deliver: one` (default; oldest suspension first)."""
    runs = []
    for _ in range(3):
        runs.append(begin(waiting, "A1"))
        waiting.jump(seconds=1)
    for number, run in enumerate(runs):
        assert waiting.result(run).status == "suspended"
        waiting.send("paid", key="A1", data=number)
        assert_completed(run, {"got": number})


def test_an_event_for_all_wakes_every_wait(waiting: Harness) -> None:
    """Contract: `deliver: all`."""
    runs = [begin(waiting, "A1") for _ in range(3)]
    other = begin(waiting, "B1")
    receipt = waiting.send("paid", key="A1", data="all", deliver="all")
    assert len(receipt.woke) == 3
    for run in runs:
        assert_completed(run, {"got": "all"})
    assert_waiting_for(other, "ask")


def test_one_event_wakes_several_threads_of_one_run(engine: Harness) -> None:
    engine.publish(
        workflow(
            "wait",
            each("m", "ask", next="end"),
            wait_event("ask", "go", result="event"),
            edit("told", output="${event.data + item}", next=None),
            end(output={"output": "${output}"}),
        )
    )
    run = engine.start("wait", {"items": [1, 2, 3]})
    engine.drain()
    assert len(engine.send("go", deliver="all", data=10).woke) == 3
    assert_completed(run, {"output": [11, 12, 13]})
    assert_each_step_once(run)


# --- filters --------------------------------------------------------------------------------


@pytest.fixture
def choosy(engine: Harness) -> Harness:
    asked = wait_event("ask", "paid", key="order", filter="event.data.sum >= least")
    engine.publish(workflow("wait", asked, end(output=GOT)))
    return engine


def wait_for_at_least(engine: Harness, least: object) -> Run:
    run = engine.start("wait", {"order": "A1", "least": least})
    engine.jump(milliseconds=1)
    return run


def test_a_filter_that_is_false_leaves_the_wait_and_says_so(choosy: Harness) -> None:
    """Contract: `filter` (CEL) must hold too; why a candidate did not match is recorded."""
    run = wait_for_at_least(choosy, 100)
    assert choosy.send("paid", key="A1", data={"sum": 99}).woke == ()
    assert_waiting_for(run, "ask")
    wait = Suspension.objects.get()
    assert Event.objects.get().misses == [
        {"suspension": str(wait.pk), "why": "the filter was false"}
    ]
    choosy.send("paid", key="A1", data={"sum": 100})
    assert_completed(run, {"got": {"sum": 100}})


def test_a_filter_that_fails_counts_against_its_wait_only(choosy: Harness) -> None:
    broken, good = wait_for_at_least(choosy, "s3cret"), wait_for_at_least(choosy, 1)
    choosy.send("paid", key="A1", data={"sum": 5})
    assert_waiting_for(broken, "ask")
    assert_completed(good, {"got": {"sum": 5}})
    (miss,) = Event.objects.get().misses
    assert miss["why"].startswith("the filter failed: ")
    assert "s3cret" not in miss["why"]


def test_an_early_event_must_pass_the_filter_too(choosy: Harness) -> None:
    for amount in (1, 2, 3):
        choosy.send("paid", key="A1", data={"sum": amount})
    assert_completed(wait_for_at_least(choosy, 2), {"got": {"sum": 2}})
    assert_waiting_for(wait_for_at_least(choosy, 4), "ask")
    assert [miss["why"] for miss in _misses_of(3)] == ["the filter was false"]


def _misses_of(amount: int) -> list[dict[str, Any]]:
    (event,) = (event for event in Event.objects.all() if event.data == {"sum": amount})
    return list(event.misses)


# --- collecting -----------------------------------------------------------------------------


@pytest.fixture
def collecting(engine: Harness) -> Harness:
    asked = wait_event("ask", "vote", collect=3, timeout="PT1H", on_timeout="late", next="end")
    late = edit("late", event=[], next="end")
    output = {"votes": "${event.map(one, one.data)}"}
    engine.publish(workflow("wait", asked, late, end(output=output)))
    return engine


def test_a_wait_can_collect_events(collecting: Harness) -> None:
    """Contract: `collect: N` takes so many events."""
    run = begin(collecting, 1)
    for vote in ("a", "b"):
        assert len(collecting.send("vote", data=vote).woke) == 1
        assert_waiting_for(run, "ask")
    collecting.send("vote", data="c")
    assert_completed(run, {"votes": ["a", "b", "c"]})


def test_collected_events_may_be_early_late_and_repeated(collecting: Harness) -> None:
    collecting.send("vote", data="early", external_id="1")
    run = begin(collecting, 1)
    collecting.send("vote", data="early", external_id="1")
    collecting.send("vote", data="second", external_id="2")
    collecting.send("vote", data="second", external_id="2")
    assert_waiting_for(run, "ask")
    collecting.send("vote", data="third", external_id="3")
    assert_completed(run, {"votes": ["early", "second", "third"]})


def test_early_events_beyond_the_number_are_left_for_others(collecting: Harness) -> None:
    for vote in range(4):
        collecting.send("vote", data=vote)
        collecting.jump(seconds=1)
    assert_completed(begin(collecting, 1), {"votes": [0, 1, 2]})
    assert Event.objects.filter(taken_at__isnull=True).count() == 1


def test_too_few_events_are_a_timeout(collecting: Harness) -> None:
    run = begin(collecting, 1)
    collecting.send("vote", data="a")
    collecting.jump(hours=1)
    assert_completed(run, {"votes": []})


def test_an_event_that_comes_with_the_timeout_is_not_swallowed(collecting: Harness) -> None:
    """The wait was read, then its time came: what is fed to it now belongs to the next."""
    run = begin(collecting, 1)
    (wait,) = Suspension.objects.filter(run=run)
    collecting.jump(hours=1)
    assert not suspensions.keep_collected(wait, [{"data": "late"}])
    wait.refresh_from_db()
    assert wait.collected == []


# --- the end of a run -------------------------------------------------------------------------


def test_a_final_run_takes_no_events(waiting: Harness) -> None:
    cancelled, follower = begin(waiting, "A1"), begin(waiting, "A1")
    services.cancel(cancelled.pk)
    waiting.send("paid", key="A1", data="for the living")
    assert_completed(follower, {"got": "for the living"})
    assert_at_rest(cancelled)


def test_an_early_event_wakes_branches_in_every_order(any_order: Harness) -> None:
    any_order.publish(
        workflow(
            "wait",
            fan_out("f", a="a", b="b"),
            wait_event("a", "go", key="'a'", result="output", next="j"),
            wait_event("b", "go", key="'b'", result="output", next="j"),
            fan_in("j"),
            end(output={"keys": "${output.key}"}),
        )
    )
    any_order.send("go", key="b")
    run = any_order.start("wait")
    any_order.drain()
    any_order.send("go", key="a")
    assert_completed(run, {"keys": ["a", "b"]})
