"""Limits of a split that are changed while it is under way."""

from typing import Any

import pytest
from django.db import transaction

from tests.support.assertions import (
    assert_completed,
    assert_failed,
    assert_waiting_for,
    live_parts,
    part_states,
    seconds_of,
)
from tests.support.builder import (
    batch,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    switch,
    wait_event,
    workflow,
)
from tests.support.failing import map_of_numbers, refuse
from tests.support.invariants import assert_invariants
from tests.support.orders import FIFTY, Order, engine_in
from workflows import services
from workflows.errors import ConflictError, InputRefusedError, NotFoundError
from workflows.models import Run, ThreadGroup
from workflows.testing import Harness
from workflows.testing.harness import VirtualClock

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def asked_slices(engine: Harness, parallel: int, count: int = 6) -> Run:
    """Start a batch whose slices sleep until they are answered."""
    asked = wait_event("ask", "answer", key="items[0]", next=None)
    engine.publish(
        workflow("b", batch("b", "ask", size=1, parallel=parallel, next="end"), asked, end())
    )
    run = engine.start("b", {"items": list(range(count))})
    engine.drain()
    return run


def test_a_window_is_widened_while_it_runs(engine: Harness) -> None:
    """Contract: `parallel` and `tolerate` can be changed while it runs."""
    run = asked_slices(engine, 1)
    assert_waiting_for(run, "ask")
    services.change_group(run.pk, "b", parallel=4)
    engine.drain()
    assert_waiting_for(run, *["ask"] * 4)
    services.change_group(run.pk, "b", parallel=0)
    engine.drain()
    assert_waiting_for(run, *["ask"] * 6)
    assert_invariants()
    for key in "012345":
        engine.send("answer", key=key)
    assert_completed(run)


def test_a_window_is_narrowed_as_its_places_are_left(engine: Harness) -> None:
    run = asked_slices(engine, 3)
    services.change_group(run.pk, "b", parallel=1)
    engine.drain()
    assert live_parts(run) == 3
    engine.send("answer", key="0")
    assert live_parts(run) == 2
    engine.send("answer", key="2")
    assert live_parts(run) == 1
    engine.send("answer", key="1")
    assert_waiting_for(run, "ask")
    for key in "345":
        engine.send("answer", key=key)
    assert_completed(run)


def test_a_window_is_given_to_a_map_without_one(engine: Harness) -> None:
    engine.publish(
        workflow("m", each("m", "rest", next="end"), delay("rest", "PT1S", next="again"),
                 delay("again", "PT1S", next=None), end())
    )  # fmt: skip
    with_window = engine.start("m", {"items": list(range(8))})
    assert engine.pump.step()
    services.change_group(with_window.pk, "m", parallel=2)
    engine.jump(minutes=1)
    assert_completed(with_window)
    assert seconds_of(engine.result(with_window)) == 8


def test_a_window_that_moves_as_it_is_changed_ends_alike_in_every_order() -> None:
    time = VirtualClock()
    definition = workflow(
        "m",
        each("m", "rest", parallel=3, next="end"),
        delay("rest", "PT1S", next="keep"),
        edit("keep", output="${item}", next=None),
        end(output={"output": "${output}"}),
    )
    for order in FIFTY[:20]:
        with engine_in(order, time) as engine:
            engine.publish(definition)
            run = engine.start("m", {"items": list(range(6))})
            for parallel in (1, 5, 2, 0):
                for _ in range(4):
                    engine.pump.step()
                if ThreadGroup.objects.filter(run=run, state="open").exists():
                    services.change_group(run.pk, "m", parallel=parallel)
                assert_invariants()
            engine.jump(minutes=1)
            assert_completed(run, {"output": list(range(6))})


def test_more_failures_are_tolerated_from_now_on(engine: Harness) -> None:
    engine.publish(
        workflow(
            "m",
            each("m", "rest", next="end", tolerate={"count": 1}),
            delay("rest", "${item}", next="which"),
            switch("which", "bad", fine="item == 2"),
            refuse("bad", next=None),
            edit("fine", output="fine", next=None),
            end(),
        )
    )
    run = engine.start("m", {"items": [1, 2, 3]})
    engine.jump(seconds=1)
    services.change_group(run.pk, "m", tolerate={"percent": 70})
    engine.jump(seconds=5)
    assert_completed(run)
    assert run_output(engine, run)["output"] == [None, "fine", None]


def run_output(engine: Harness, run: Run) -> Any:
    return engine.result(run).output


def test_fewer_failures_are_tolerated_at_once(engine: Harness) -> None:
    engine.publish(
        workflow(
            "m",
            each("m", "which", next="end", tolerate={"count": 5}),
            switch("which", "wait", bad="item < 3"),
            refuse("bad", next=None),
            wait_event("wait", "never", next=None),
            end(),
        )
    )
    run = engine.start("m", {"items": [1, 2, 3, 4]})
    engine.drain()
    assert_waiting_for(run, "wait", "wait")
    services.change_group(run.pk, "m", tolerate={"count": 2})
    assert_waiting_for(run, "wait", "wait")
    services.change_group(run.pk, "m", tolerate={"count": 1})
    assert_failed(run, "too_many_failures", "m")
    assert part_states(run) == ["failed", "failed", "cancelled", "cancelled"]


def test_tolerance_is_given_to_a_split_without_any(engine: Harness) -> None:
    engine.publish(map_of_numbers(parallel=1))
    run = engine.start("tolerant", {"items": [1, 3]})
    assert engine.pump.step()
    services.change_group(run.pk, "m", tolerate={"percent": 100})
    engine.drain()
    assert_completed(run)
    assert len(run_output(engine, run)["errors"]) == 2


def test_only_one_of_several_groups_is_changed(engine: Harness) -> None:
    engine.publish(
        workflow(
            "nested",
            each("outer", "inner", items="rows", **{"as": "items"}, next="end"),
            each("inner", "ask", parallel=1, next=None),
            wait_event("ask", "never", next=None),
            end(),
        )
    )
    run = engine.start("nested", {"rows": [[1, 2, 3], [4, 5, 6]]})
    engine.drain()
    assert_waiting_for(run, "ask", "ask")
    first = ThreadGroup.objects.filter(run=run, node="inner").order_by("owner__idx")[0]
    services.change_group(run.pk, "inner", group=first.pk, parallel=2)
    engine.drain()
    assert_waiting_for(run, *["ask"] * 3)
    services.change_group(run.pk, "inner", parallel=3)
    engine.drain()
    assert_waiting_for(run, *["ask"] * 6)


def test_what_is_not_open_or_makes_no_sense_is_refused(engine: Harness) -> None:
    engine.publish(
        workflow("f", fan_out("f", a="a"), wait_event("a", "a", next="j"), fan_in("j"), end())
    )
    run = engine.start("f")
    engine.drain()
    refused: list[dict[str, Any]] = [
        {"parallel": 3},
        {"parallel": -1},
        {},
        {"tolerate": {}},
        {"tolerate": {"count": -1}},
        {"tolerate": {"percent": 101}},
        {"tolerate": {"count": 1, "percent": 1}},
        {"tolerate": {"many": 1}},
    ]
    for changes in refused:
        with pytest.raises(InputRefusedError):
            services.change_group(run.pk, "f", **changes)
    with pytest.raises(ConflictError, match="No group of node 'g'"):
        services.change_group(run.pk, "g", tolerate=None)
    with pytest.raises(ConflictError):
        services.change_group(run.pk, "f", group="x", tolerate=None)
    with pytest.raises(NotFoundError):
        services.change_group("x", "f", tolerate=None)
    services.change_group(run.pk, "f", tolerate={"count": 1})
    engine.send("a")
    assert_completed(run, {"errors": []})
    with pytest.raises(ConflictError):
        services.change_group(run.pk, "f", tolerate={"count": 1})


def test_a_change_is_undone_with_the_callers_transaction(engine: Harness) -> None:
    run = asked_slices(engine, 1)
    with transaction.atomic():
        services.change_group(run.pk, "b", parallel=4)
        transaction.set_rollback(True)
    engine.drain()
    assert_waiting_for(run, "ask")


def test_a_lost_message_of_a_change_costs_time_only() -> None:
    with engine_in(Order(), VirtualClock()) as engine:
        run = asked_slices(engine, 1)
        services.change_group(run.pk, "b", parallel=3)
        engine.lose_messages()
        engine.jump(seconds=10)
        services.sweep()
        engine.drain()
        assert_waiting_for(run, *["ask"] * 3)
