"""Events that steps send: in the step's transaction, matched after it, taken once."""

from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import override_settings

from tests.support.assertions import (
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_waiting_for,
    visited,
)
from tests.support.builder import (
    activity,
    batch,
    delay,
    each,
    edit,
    emit,
    end,
    fan_in,
    fan_out,
    wait_event,
    workflow,
)
from tests.support.orders import ONE_LEG, assert_output_in_every_order
from workflows import services
from workflows.models import Event, NodeExecution, Thread
from workflows.services import after, sweeping
from workflows.store import events
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

PAID = emit("tell", "paid", key="order", data={"sum": "${sum}"})
GOT = {"got": "${event.data}"}


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Processes that die between the commit of a step and the matching of its event."""
    for module in (after, sweeping):
        monkeypatch.setattr(module, "match_emitted", lambda _event_id: False)
    return monkeypatch


def publish_pair(engine: Harness) -> None:
    engine.publish(workflow("tells", PAID, end()))
    engine.publish(workflow("waits", wait_event("ask", "paid", key="order"), end(output=GOT)))


def test_a_step_sends_an_event_that_wakes_another_run(engine: Harness) -> None:
    """Contract: sends an event, in the same transaction as the step"""
    publish_pair(engine)
    other = engine.start("waits", {"order": "A1"})
    engine.drain()
    run = engine.run("tells", {"order": "A1", "sum": 5})
    assert_completed(run, {"order": "A1", "sum": 5})
    assert_completed(other, {"got": {"sum": 5}})
    event = Event.objects.get()
    step = NodeExecution.objects.get(run=run, node="tell")
    assert (event.source, event.external_id) == ("tells", f"{run.pk}:{step.thread_id}:{step.seq}")
    assert step.input == {"event": "paid", "key": "A1", "data": {"sum": 5}}
    assert len(event.taken_by) == 1


def test_neither_happens_without_the_other(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contract: sends an event, in the same transaction as the step"""
    publish_pair(engine)
    run = engine.start("tells", {"order": "A1", "sum": 5})
    insert = events.insert

    def insert_and_lose_the_connection(**fields: Any) -> Any:
        insert(**fields)
        raise DatabaseError("the connection is lost")

    monkeypatch.setattr(events, "insert", insert_and_lose_the_connection)
    engine.drain()
    assert not Event.objects.exists()
    assert visited(run) == []
    monkeypatch.undo()
    engine.jump(seconds=20)  # the claim runs out
    assert_completed(run)
    assert Event.objects.count() == 1


def test_a_run_that_was_cancelled_meanwhile_sends_nothing(engine: Harness) -> None:
    engine.publish(workflow("tells", activity("cancel", "test.cancel"), PAID, end()))
    run = engine.run("tells", {"order": "A1", "sum": 5})
    assert engine.result(run).status == "cancelled"
    assert not Event.objects.exists()


def test_an_event_that_nobody_was_told_of_is_found_by_the_sweeper(
    engine: Harness, deaf: pytest.MonkeyPatch
) -> None:
    publish_pair(engine)
    other = engine.start("waits", {"order": "A1"})
    engine.drain()
    run = engine.start("tells", {"order": "A1", "sum": 5})
    engine.drain()
    assert_completed(run)
    assert_waiting_for(other, "ask")
    assert Event.objects.get().delivered_at is None
    deaf.undo()
    engine.drain()
    assert_completed(other, {"got": {"sum": 5}})


def test_a_wait_that_opens_before_the_matching_takes_it_once(
    engine: Harness, deaf: pytest.MonkeyPatch
) -> None:
    publish_pair(engine)
    engine.run("tells", {"order": "A1", "sum": 5})
    runs = [engine.start("waits", {"order": "A1"}) for _ in range(2)]
    engine.drain()
    for run in runs:
        assert_waiting_for(run, "ask")
    deaf.undo()
    engine.drain()
    assert sorted(engine.result(run).status for run in runs) == ["completed", "suspended"]
    assert len(Event.objects.get().taken_by) == 1


def test_a_wait_that_was_open_first_is_served_first(
    engine: Harness, deaf: pytest.MonkeyPatch
) -> None:
    publish_pair(engine)
    first = engine.start("waits", {"order": "A1"})
    engine.jump(seconds=1)
    engine.run("tells", {"order": "A1", "sum": 5})
    second = engine.start("waits", {"order": "A1"})
    engine.jump(seconds=1)
    deaf.undo()
    engine.drain()
    assert_completed(first)
    assert_waiting_for(second, "ask")


def test_a_wait_that_opens_later_takes_it_while_it_is_kept(engine: Harness) -> None:
    engine.publish(workflow("tells", {**PAID, "ttl": "PT1H"}, end()))
    engine.publish(workflow("waits", wait_event("ask", "paid", key="order"), end(output=GOT)))
    engine.run("tells", {"order": "A1", "sum": 1})
    engine.run("tells", {"order": "A2", "sum": 2})
    engine.jump(minutes=59)
    assert_completed(engine.run("waits", {"order": "A1"}), {"got": {"sum": 1}})
    engine.jump(minutes=1)
    late = engine.start("waits", {"order": "A2"})
    engine.drain()
    assert_waiting_for(late, "ask")


def test_a_run_may_wait_for_its_own_event(engine: Harness) -> None:
    engine.publish(workflow("both", PAID, wait_event("ask", "paid", key="order"), end(output=GOT)))
    assert_completed(engine.run("both", {"order": "A1", "sum": 3}), {"got": {"sum": 3}})


def test_an_event_for_all_wakes_all(engine: Harness) -> None:
    engine.publish(workflow("tells", {**PAID, "deliver": "all"}, end()))
    engine.publish(workflow("waits", wait_event("ask", "paid", key="order"), end(output=GOT)))
    runs = [engine.start("waits", {"order": "A1"}) for _ in range(3)]
    engine.drain()
    engine.run("tells", {"order": "A1", "sum": 1})
    for run in runs:
        assert_completed(run, {"got": {"sum": 1}})


def test_an_id_that_was_sent_before_sends_nothing(engine: Harness) -> None:
    named = {**PAID, "source": "shop", "event_id": "order-${order}"}
    engine.publish(workflow("tells", named, end()))
    for total in (1, 2):
        assert_completed(engine.run("tells", {"order": "A1", "sum": total}))
    assert Event.objects.get().data == {"sum": 1}
    assert not services.send_event("paid", source="shop", external_id="order-A1").is_new


def test_a_step_that_ends_its_run_sends_too(engine: Harness) -> None:
    engine.publish(workflow("tells", {**PAID, "next": None}))
    assert_completed(engine.run("tells", {"order": "A1", "sum": 1}))
    assert Event.objects.count() == 1


def test_a_part_that_ends_with_it_is_over(engine: Harness) -> None:
    definition = workflow(
        "tells", batch("b", "tell", size=1, parallel=1, next="end"), {**PAID, "next": None}, end()
    )
    definition["nodes"][2]["key"] = "items[0]"
    definition["nodes"][2]["data"] = "${items[0]}"
    engine.publish(definition)
    run = engine.run("tells", {"items": ["a", "b", "c"]})
    assert_completed(run)
    assert_each_step_once(run)
    assert sorted(Event.objects.values_list("key", flat=True)) == ["a", "b", "c"]


def test_what_cannot_be_sent_fails_the_node(engine: Harness) -> None:
    engine.publish(workflow("tells", {**PAID, "on_error": "mend"}, end(), edit("mend", bad=True)))
    run = engine.run("tells", {"order": None, "sum": 1})
    assert engine.result(run).output["error"]["code"] == "key_invalid"
    engine.publish(workflow("long", emit("tell", "paid", source="${name}"), end()))
    assert_failed(engine.run("long", {"name": "x" * 300}), "emit_invalid", "tell")
    assert not Event.objects.exists()


def test_a_loop_of_events_gives_way_to_other_work(engine: Harness) -> None:
    loop = {"id": "l", "type": "loop", "body": "tell", "until": "false", "max_iterations": 6}
    definition = workflow(
        "tells",
        {**loop, "on_limit": "end", "next": "end"},
        emit("tell", "turn", data="${loop.index}", next=None),
        end(),
    )
    engine.publish(definition)
    with override_settings(CELERIAC={**settings.CELERIAC, **ONE_LEG}):
        run = engine.start("tells")
        assert engine.pump.step()
        assert Event.objects.count() == 1
        assert Thread.objects.get(run=run).state == "ready"
        engine.drain()
    assert_completed(run)
    assert_each_step_once(run)
    assert sorted(event.data for event in Event.objects.all()) == list(range(6))


def test_emitters_and_waiters_agree_in_every_order(transactional_db: None) -> None:
    definition = workflow(
        "both",
        fan_out("f", a="rows", b="asks"),
        each("rows", "pause", merge="sent", next="j"),
        delay("pause", "PT${index % 2}S", next="tell"),
        emit("tell", "ready", key="run.id + item", data="${item}", next=None),
        each("asks", "ask", next="j"),
        wait_event("ask", "ready", key="run.id + item", next="keep"),
        edit("keep", output="${event.data}", next=None),
        fan_in("j"),
        end(output={"output": "${output}"}),
    )
    items = ["a", "b", "c", "d"]
    assert_output_in_every_order(definition, {"items": items}, {"output": items})


@pytest.mark.parametrize("seeds", [range(25), range(25, 50)], ids=["first", "second"])
def test_of_fifty_orders_none_loses_or_doubles_an_event(
    transactional_db: None, seeds: range
) -> None:
    definition = workflow(
        "both",
        fan_out("f", a="tell", b="ask", c="other"),
        emit("tell", "one", key="run.id", data=1, next="more"),
        emit("more", "one", key="run.id", data=2, next="j"),
        wait_event("ask", "one", key="run.id", collect=2, next="keep"),
        edit("keep", output="${event.map(e, e.data)}", next="j"),
        edit("other", next="never"),
        emit("never", "two", next="j"),
        fan_in("j"),
        end(output={"output": "${output}"}),
    )
    for seed in seeds:
        with Harness.open(seed) as engine:
            engine.publish(definition)
            run = engine.start("both")
            engine.double_messages()
            engine.drain()
            assert_completed(run, {"output": [1, 2]})
            assert_each_step_once(run)
    assert Event.objects.count() == 3 * len(seeds)
    assert not Event.objects.filter(delivered_at__isnull=True).exists()
