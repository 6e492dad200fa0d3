"""Locks end to end: who is inside together, who comes next, and who is refused."""

from collections.abc import Sequence

import pytest

from tests.support import locking
from tests.support.assertions import (
    assert_completed,
    assert_failed,
    assert_waiting_for,
    seconds_of,
)
from tests.support.builder import activity, delay, each, edit, end, workflow
from tests.support.locking import (
    assert_all_completed,
    engines,
    going_in,
    going_out,
    in_orders,
    inside_of,
    lock,
    nobody_inside,
    run_all,
    stands_in_line,
    work_off,
)
from tests.support.orders import ORDERS, Order
from workflows.models import LockClaim, Suspension
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

__all__ = ["nobody_inside"]

NAP = delay("nap", "PT1M")
WRITER = inside_of(going_in(who="writer"), NAP, going_out(), name="writer")
READER = inside_of(
    going_in(who="reader", shared=True), NAP, going_out(shared=True), name="reader", mode="shared"
)


@in_orders
def test_an_exclusive_lock_is_held_by_one_at_a_time(orders: Sequence[Order]) -> None:
    """Contract: named mutex."""
    for engine in engines(orders):
        engine.publish(inside_of(going_in(), going_out()))
        assert_all_completed(run_all(engine, *["locked"] * 4))
        assert locking.most["x"] == 1
        assert len(locking.entered) == 4


def test_waiting_costs_no_slot_and_a_sleeper_keeps_its_lock() -> None:
    """Contract: waiting costs no slot."""
    for engine in engines(ORDERS):
        engine.publish(WRITER)
        runs = [engine.start("writer") for _ in range(3)]
        engine.drain()
        assert [engine.result(run).status for run in runs] == ["suspended"] * 3
        kinds = Suspension.objects.filter(state="open").values_list("kind", flat=True)
        assert sorted(kinds) == ["lock", "lock", "timer"]
        engine.jump(minutes=3)
        assert_all_completed([engine.result(run) for run in runs])
        assert locking.most["x"] == 1


@in_orders
def test_a_semaphore_lets_in_as_many_as_its_limit(orders: Sequence[Order]) -> None:
    """Contract: named mutex, shared/exclusive, or semaphore."""
    for engine in engines(orders):
        engine.publish(inside_of(going_in(limit=2), NAP, going_out(), limit=2))
        assert_all_completed(run_all(engine, *["locked"] * 5))
        assert locking.most["x"] == 2


@in_orders
def test_readers_share_and_writers_are_alone(orders: Sequence[Order]) -> None:
    """Contract: named mutex, shared/exclusive, or semaphore."""
    for engine in engines(orders):
        engine.publish(READER)
        engine.publish(WRITER)
        assert_all_completed(run_all(engine, "reader", "writer", "reader", "reader", "writer"))
        assert sorted(locking.entered) == ["reader"] * 3 + ["writer"] * 2


def test_who_has_asked_first_comes_first_and_nobody_is_overtaken(engine: Harness) -> None:
    engine.publish(READER)
    engine.publish(WRITER)
    first = stands_in_line(engine, "reader")
    for name in ("reader", "writer", "reader", "reader", "writer", "reader"):
        stands_in_line(engine, name)
    # The second reader is let in beside the first; the third has to wait for the writer.
    assert list(locking.entered) == ["reader"] * 2
    engine.jump(minutes=10)
    order = ["reader", "reader", "writer", "reader", "reader", "writer", "reader"]
    assert list(locking.entered) == order
    assert_completed(engine.result(first))


def test_the_next_one_goes_on_at_once_and_not_at_the_next_sweep(engine: Harness) -> None:
    engine.publish(inside_of(going_in(), delay("nap", "PT1M"), going_out()))
    engine.publish(inside_of(going_in(), going_out(), name="short"))
    holder, *others = [stands_in_line(engine, name) for name in ("locked", "short", "short")]
    for run in others:
        assert_waiting_for(run, "lock")
    engine.clock.move_to(engine.next_due() or engine.clock.moment)
    engine.pump.drain()
    assert_all_completed([engine.result(run) for run in (holder, *others)])


def test_a_lock_is_free_before_what_follows_it_begins(engine: Harness) -> None:
    """A leg of one commit may go past the body and call an activity that takes long."""
    definition = inside_of(activity("count", "lock.claims", result="inside"))
    definition["nodes"][1]["next"] = "after"
    after = activity("after", "lock.claims", result="outside", next="done")
    engine.publish({**definition, "nodes": [*definition["nodes"], after]})
    assert_completed(engine.run("locked"), {"inside": 1, "outside": 0})


@in_orders
def test_several_names_are_taken_together_in_whatever_order_they_are_written(
    orders: Sequence[Order],
) -> None:
    """Contract: several names are taken in a fixed order."""
    body = (going_in(), going_in("enter2", "y"), going_out(), going_out("leave2", "y"))
    for engine in engines(orders):
        engine.publish(inside_of(*body, lock=["x", "y"], name="one"))
        engine.publish(inside_of(*body, lock=["y", "x", "y"], name="two"))
        engine.publish(inside_of(going_in(name="y"), going_out(name="y"), lock="y", name="three"))
        assert_all_completed(run_all(engine, "one", "two", "three", "two", "one"))
        assert locking.most == {"x": 1, "y": 1}


def test_the_name_may_depend_on_the_context(engine: Harness) -> None:
    engine.publish(inside_of(NAP, lock="order-${id}"))
    engine.publish(inside_of(NAP, lock="${id}", name="number"))
    for data in ({"id": 1}, {"id": 2}, {"id": 1}):
        engine.start("locked", data)
    engine.start("number", {"id": 1})
    engine.drain()
    claims = LockClaim.objects.order_by("id").values_list("name", "state")
    assert sorted(claims) == [
        ("1", "held"), ("order-1", "held"), ("order-1", "waiting"), ("order-2", "held"),
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["", "  ", None, True, "x" * 201, [], ["a", 1.5]])
def test_a_name_that_is_none_fails_the_node(engine: Harness, value: object) -> None:
    engine.publish(inside_of(NAP, lock="${id}"))
    assert_failed(engine.run("locked", {"id": value}), "lock_name_invalid", node="lock")


def test_the_smallest_limit_counts(engine: Harness) -> None:
    for limit in (1, 3):
        name = f"of{limit}"
        engine.publish(inside_of(going_in(limit=limit), NAP, going_out(), limit=limit, name=name))
    for name in ("of3", "of3", "of1", "of3"):
        stands_in_line(engine, name)
    states = LockClaim.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["held", "held", "waiting", "waiting"]
    engine.jump(minutes=5)
    assert len(locking.entered) == 4


def test_a_timeout_ends_the_wait_and_leaves_the_queue(engine: Harness) -> None:
    late = edit("late", late=True, next="done")
    impatient = inside_of(
        going_in(), going_out(), name="impatient", timeout="PT10S", on_timeout="late"
    )
    impatient["nodes"].append(late)
    engine.publish(WRITER)
    engine.publish(impatient)
    engine.publish(inside_of(going_in(), going_out(), name="strict", timeout="PT10S"))
    stands_in_line(engine, "writer")
    runs = [stands_in_line(engine, name) for name in ("impatient", "strict", "writer")]
    engine.jump(seconds=30)
    assert_completed(engine.result(runs[0]), {"late": True})
    assert_failed(engine.result(runs[1]), "lock_timeout", node="lock")
    assert list(LockClaim.objects.order_by("id").values_list("state", flat=True)) == [
        "held", "waiting",
    ]  # fmt: skip
    engine.jump(minutes=5)
    assert_completed(engine.result(runs[2]))
    assert len(locking.entered) == 2


def test_who_gives_up_leaves_what_it_has_of_several_names(engine: Harness) -> None:
    engine.publish(WRITER)
    engine.publish(inside_of(going_in(), lock=["a", "x"], name="both", timeout="PT10S"))
    engine.publish(inside_of(NAP, lock="a", name="other"))
    stands_in_line(engine, "writer")
    both, other = stands_in_line(engine, "both"), stands_in_line(engine, "other")
    assert_waiting_for(both, "lock")
    assert_waiting_for(other, "lock")
    engine.clock.move_to(engine.next_due() or engine.clock.moment)
    engine.drain()
    assert_failed(engine.result(both), "lock_timeout")
    assert_waiting_for(other, "nap")


@pytest.mark.long
def test_two_hundred_items_in_a_map_share_three_places(engine: Harness) -> None:
    definition = workflow(
        "many",
        each("map", "lock", next="done"),
        lock("lock", limit=3, next=None),
        going_in(limit=3),
        {**NAP, "next": "leave"},
        going_out(next="lock"),
        end("done"),
    )
    engine.publish(definition)
    run = engine.run("many", {"items": list(range(200))})
    assert_all_completed([run])
    assert locking.most["x"] == 3
    assert len(locking.entered) == 200
    # Two hundred minutes, three at a time.
    assert seconds_of(run) == 67 * 60


def test_a_holder_whose_hint_is_lost_is_found_by_the_sweeper(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.services.after._look_at_locks", lambda _hints: None)
    engine.publish(WRITER)
    runs = [stands_in_line(engine, "writer") for _ in range(3)]
    engine.jump(minutes=5)
    assert_all_completed([engine.result(run) for run in runs])
    work_off(engine)
    assert not LockClaim.objects.exists()
