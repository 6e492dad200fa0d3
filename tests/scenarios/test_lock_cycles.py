"""Threads that wait for each other by way of locks: the youngest gives up, and says why."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.assertions import assert_completed, assert_failed, assert_waiting_for
from tests.support.builder import (
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    gosub,
    race,
    switch,
    wait_event,
)
from tests.support.locking import (
    engines,
    in_orders,
    inside_of,
    lock,
    nobody_inside,
    run_all,
    stands_in_line,
    work_off,
)
from tests.support.orders import Order
from workflows import services
from workflows.models import LockClaim, Run
from workflows.services.locks import stuck_in_cycles
from workflows.store import waiters
from workflows.store.locks import Crowd
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

__all__ = ["nobody_inside"]


def one_then(first: str, second: str, **fields: Any) -> dict[str, Any]:
    """Take one lock, wait for an event, and take another one inside."""
    return inside_of(
        wait_event("wait", "go", key=f"'{first}'"),
        lock("inner", second, body="hold", next=None, **fields),
        edit("hold", next=None),
        lock=first,
        name=f"{first}{second}",
    )


def both_wait(engine: Harness, *names: str) -> list[Run]:
    for name in names:
        engine.publish(one_then(*name))
    return [stands_in_line(engine, name) for name in names]


def go(engine: Harness, *first: str) -> None:
    for key in first:
        services.send_event("go", key=key)
        work_off(engine)


def test_the_youngest_of_a_cycle_fails_with_the_cycle_in_words(engine: Harness) -> None:
    """Contract: a cycle of waiters is found and the youngest fails with the cycle printed."""
    older, younger = both_wait(engine, "ab", "ba")
    go(engine, "a", "b")
    failed = engine.result(younger)
    assert_failed(failed, "lock_cycle", node="inner")
    assert failed.error["message"] == (
        "The threads wait for each other, and the youngest gives up: "
        f"run {younger.pk} at 'inner' waits for \"a\" held by run {older.pk} at 'inner', which "
        f"waits for \"b\" held by run {younger.pk} at 'inner'. "
        "Take the locks in one order everywhere, or as one list of names."
    )
    assert_completed(engine.result(older))
    assert not LockClaim.objects.exists()


def test_the_youngest_is_who_has_asked_last_not_who_has_started_last(engine: Harness) -> None:
    first, second = both_wait(engine, "ab", "ba")
    go(engine, "b", "a")
    assert_failed(engine.result(first), "lock_cycle")
    assert_completed(engine.result(second))


def test_a_cycle_of_three_is_found_and_one_gives_up(engine: Harness) -> None:
    runs = both_wait(engine, "ab", "bc", "ca")
    go(engine, "a", "b")
    assert_waiting_for(engine.result(runs[0]), "inner")
    go(engine, "c")
    assert [engine.result(run).status for run in runs] == ["completed", "completed", "failed"]


@in_orders
def test_in_every_order_exactly_one_of_a_cycle_gives_up(orders: Sequence[Order]) -> None:
    for engine in engines(orders):
        nap = delay("nap", "PT1M")
        for first, second in ("ab", "bc", "ca"):
            inner = lock("inner", second, body="hold", next=None)
            definition = inside_of(nap, inner, edit("hold", next=None), lock=first, name=first)
            engine.publish(definition)
        runs = run_all(engine, "a", "b", "c")
        codes = sorted((run.error or {}).get("code", "") for run in runs)
        assert codes == ["", "", "lock_cycle"], codes


def test_who_gives_up_may_go_on_elsewhere(engine: Harness) -> None:
    engine.publish(one_then("a", "b"))
    second = one_then("b", "a", on_error="mend")
    engine.publish({**second, "nodes": [*second["nodes"], edit("mend", mended=True)]})
    runs = [stands_in_line(engine, name) for name in ("ab", "ba")]
    go(engine, "a", "b")
    for run in runs:
        assert_completed(engine.result(run))
    assert engine.result(runs[1]).output["error"]["code"] == "lock_cycle"


def test_a_lock_that_the_thread_has_already_is_a_cycle_of_one(engine: Harness) -> None:
    engine.publish(
        inside_of(lock("inner", "${name}", body="hold", next=None), edit("hold", next=None))
    )
    run = engine.run("locked", {"name": "x"})
    assert_failed(run, "lock_cycle", node="inner")
    assert run.error["message"] == (
        f"The thread waits for itself, and gives up: run {run.pk} at 'inner' waits for \"x\", "
        "which it holds itself since 'lock'. A lock is not re-entrant: what goes on in the body of "
        "'lock' must not ask for \"x\" again. Take it once, around both."
    )
    assert_completed(engine.run("locked", {"name": "y"}))


def test_a_shared_lock_may_be_shared_once_more(engine: Harness) -> None:
    inner = lock("inner", "${name}", body="hold", mode="shared", next=None)
    engine.publish(inside_of(inner, edit("hold", next=None), mode="shared"))
    assert_completed(engine.run("locked", {"name": "x"}))


SPLITS = {
    "fan_out": [
        fan_out("split", a="left", b="right"),
        lock("left", "${name}", body="l", next="join"),
        edit("l"),
        edit("right", next="join"),
        fan_in("join"),
    ],
    "map": [each("map", "left"), lock("left", "${name}", body="l"), edit("l")],
    "two splits": [
        fan_out("split", a="inner", b="right"),
        fan_out("inner", c="left", d="other"),
        lock("left", "${name}", body="l", next="join"),
        edit("l"),
        edit("other", next="join"),
        edit("right", next="join"),
        fan_in("join"),
    ],
}


@pytest.mark.parametrize("nodes", SPLITS.values(), ids=SPLITS)
def test_a_cycle_goes_through_a_split(engine: Harness, nodes: list[dict[str, Any]]) -> None:
    """Contract: a cycle of waiters is found and the youngest fails with the cycle printed."""
    bare = [{k: v for k, v in node.items() if (k, v) != ("next", None)} for node in nodes]
    outer = lock("lock", "x", body=bare[0]["id"], next="done")
    start = {"id": "start", "type": "start", "next": "lock"}
    engine.publish({"workflow": "locked", "nodes": [start, outer, *bare, end("done")]})
    run = engine.run("locked", {"name": "x", "items": [1, 2]})
    assert_failed(run, "lock_cycle", node="left")
    assert "which waits for its branch run" in run.error["message"]
    assert "A lock is not re-entrant: what goes on in the body of 'lock'" in run.error["message"]
    assert_completed(engine.run("locked", {"name": "y", "items": [1, 2]}))


def test_a_cycle_goes_through_a_child_run(engine: Harness) -> None:
    """Contract: a cycle of waiters is found and the youngest fails with the cycle printed."""
    engine.publish(inside_of(edit("hold"), lock="${name}", name="child"))
    engine.publish(inside_of(gosub("sub", "child")))
    run = engine.run("locked", {"name": "x"})
    assert_failed(run, "lock_cycle", node="sub")
    child = run.children.get()
    assert_failed(child, "lock_cycle", node="lock")
    assert "which waits for its child run" in child.error["message"]
    assert_completed(engine.run("locked", {"name": "y"}))


def test_who_may_still_be_let_in_by_another_holder_is_in_no_cycle(engine: Harness) -> None:
    """Of a semaphore one free place is enough, whoever leaves it."""
    free = wait_event("wait", "go", key="'free'")
    engine.publish(inside_of(free, lock="s", limit=2, name="free"))
    engine.publish(one_then("b", "s", limit=2))
    wait = wait_event("wait", "go", key="'s'")
    inner = lock("inner", "b", body="hold", next=None)
    engine.publish(inside_of(wait, inner, edit("hold"), lock="s", limit=2, name="sb"))
    runs = [stands_in_line(engine, name) for name in ("free", "bs", "sb")]
    go(engine, "s", "b")
    for run, node in zip(runs, ("wait", "inner", "inner"), strict=True):
        assert_waiting_for(engine.result(run), node)
    go(engine, "free")
    for run in runs:
        assert_completed(engine.result(run))


def test_a_race_of_which_one_can_win_is_in_no_cycle(engine: Harness) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "lock"},
        lock("lock", "x", body="race", next="done"),
        race("race", a="left", b="right"),
        lock("left", "${name}", body="hold"),
        edit("hold"),
        delay("right", "PT1M"),
        end("done"),
    ]
    bare = [{k: v for k, v in node.items() if (k, v) != ("next", None)} for node in nodes]
    engine.publish({"workflow": "locked", "nodes": bare})
    assert_completed(engine.run("locked", {"name": "x"}))


def test_a_cycle_that_nobody_was_told_of_is_found_by_the_sweeper(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.services.after._look_at_locks", lambda _hints: None)
    runs = both_wait(engine, "ab", "ba", "ca")
    go(engine, "a", "b", "c")
    assert [engine.result(run).status for run in runs] == ["suspended"] * 3
    engine.drain()
    assert [engine.result(run).status for run in runs] == ["completed", "failed", "completed"]


def test_a_reader_behind_a_writer_waits_for_it_too(engine: Harness) -> None:
    """Nobody overtakes: so who holds a shared lock cannot take it again behind a writer."""
    wait = wait_event("wait", "go", key="'reader'")
    inner = lock("inner", "x", body="hold", mode="shared", next=None)
    engine.publish(inside_of(wait, inner, edit("hold"), mode="shared", name="reader"))
    engine.publish(inside_of(edit("write"), name="writer"))
    reader, writer = stands_in_line(engine, "reader"), stands_in_line(engine, "writer")
    go(engine, "reader")
    failed = engine.result(reader)
    assert_failed(failed, "lock_cycle", node="inner")
    assert "that was asked for before by" in failed.error["message"]
    assert failed.error["message"].endswith("Take it once, around both.")
    assert_completed(engine.result(writer))


@pytest.mark.parametrize("parallel", [1, 2])
@pytest.mark.parametrize("wait_for", ["any", 2])
def test_parts_behind_a_window_full_of_waiters_let_nobody_go_on(
    engine: Harness, wait_for: str | int, parallel: int
) -> None:
    """Whatever the join waits for: they could only go on when one of those that wait has ended."""
    split = each("map", "left", wait_for=wait_for, parallel=parallel, next=None)
    engine.publish(inside_of(split, lock("left", "${name}", body="hold", next=None), edit("hold")))
    run = engine.run("locked", {"name": "x", "items": [1, 2, 3]})
    assert_failed(run, "lock_cycle", node="left")
    assert_completed(engine.run("locked", {"name": "y", "items": [1, 2, 3]}))


def test_a_long_queue_is_looked_through_once(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each of many waiters that have a lock already would cost the cube of their number."""
    engine.publish(inside_of(wait_event("wait", "go", key="'holder'"), lock="g", name="holder"))
    inner = lock("inner", "g", body="hold", next=None)
    engine.publish(inside_of(inner, edit("hold", next=None), lock="own-${run.id}", name="nested"))
    stands_in_line(engine, "holder")
    runs = [stands_in_line(engine, "nested") for _ in range(20)]
    asked: list[LockClaim] = []
    real = Crowd.admits

    def admits(crowd: Crowd, claim: LockClaim) -> bool:
        asked.append(claim)
        return real(crowd, claim)

    monkeypatch.setattr(Crowd, "admits", admits)
    runs.append(stands_in_line(engine, "nested"))
    assert 21 <= len(asked) <= 22  # each claim in the queue once, and the two locks of its own
    monkeypatch.undo()
    go(engine, "holder")
    for run in runs:
        assert_completed(engine.result(run))


def test_many_who_wait_for_sleepers_cost_the_sweeper_a_few_queries(engine: Harness) -> None:
    """Heads of queues whose holders only take long are looked at together."""
    engine.publish(inside_of(wait_event("wait", "go"), name="child"))
    engine.publish(inside_of(gosub("sub", "child"), lock="own-${id}", name="parent"))
    engine.publish(inside_of(edit("hold"), lock="own-${id}", name="other"))
    for number in range(6):
        engine.start("parent", {"id": number})
        engine.start("other", {"id": number})
    work_off(engine)
    costs = []
    for count in (2, 6):
        with CaptureQueriesContext(connection) as queries:
            assert not stuck_in_cycles(count)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_of_a_race_with_very_many_parts_those_beyond_count_as_free(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiters, "MOST_PARTS", 2)
    way = switch("way", "left", nap="item == 3")
    inner = lock("left", "${name}", body="hold", next=None)
    split = each("map", "way", wait_for="any", next=None)
    body = [split, way, inner, edit("hold", next=None), delay("nap", "PT1M", next=None)]
    engine.publish(inside_of(*body))
    assert_completed(engine.run("locked", {"name": "x", "items": [1, 2, 3]}))
