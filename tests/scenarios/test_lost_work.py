"""Work that its worker did not live to record: counted, done again alone, stopped in time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.support.activities import Killed, calls
from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import Node, activity, delay, each, edit, end, fan_in, fan_out, workflow
from workflows import conf
from workflows.models import NodeExecution, Run, Thread
from workflows.services.sweeping import sweep_once
from workflows.store.threads import worker_name
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

ITEMS = list(range(20))
POISON = 7
ANSWERS = ["lost_work" if item == POISON else item for item in ITEMS]


@pytest.fixture(autouse=True)
def _count_from_zero() -> Iterator[None]:
    calls.clear()
    yield
    calls.clear()


def kill(attempts: int | None, **fields: Any) -> Node:
    """An activity that kills its worker at one of the items, whenever it is tried."""
    retry = {"retry": {"attempts": attempts, "backoff": "PT1S"}} if attempts else {}
    how_often = {"attempts": "${item == poison ? 99 : 0}"}
    return activity(
        "kill", "test.die", input=how_often, result="tries", on_error="stopped", **retry, **fields
    )


BODIES: dict[str, Any] = {
    "at once": lambda attempts: [kill(attempts)],
    "behind a node": lambda attempts: [edit("before", seen=True), kill(attempts)],
    "behind another": lambda attempts: [activity("before", "test.echo"), kill(attempts)],
    "before another": lambda attempts: [
        kill(attempts, next="after"),
        activity("after", "test.echo", next="give"),
    ],
}


def map_of(body: list[Node], **fields: Any) -> dict[str, Any]:
    return workflow(
        "lost",
        each("m", body[0]["id"], next="end", **fields),
        *body,
        edit("give", output="${item}", next=None),
        edit("stopped", output="${error.code}", next=None),
        end(output={"output": "${output}"}),
    )


def run_through_deaths(engine: Harness, name: str, data: dict[str, Any]) -> tuple[Run, int]:
    """Run to the end, and tell how often a worker died on the way."""
    run, deaths = engine.start(name, data), 0
    while engine.result(run).ended_at is None:
        try:
            engine.jump(seconds=20)
        except Killed:
            deaths += 1
    return engine.result(run), deaths


def tries_of(run: Run) -> dict[int, int]:
    """Return how often each item's activity was really called."""
    threads = Thread.objects.filter(run=run, group__isnull=False)
    tries = dict.fromkeys(ITEMS, 0)
    for key, count in calls.items():
        tries[threads.get(pk=int(key.split(":")[1])).idx] += count
    return tries


@pytest.mark.parametrize("window", [0, 8])
@pytest.mark.parametrize("attempts", [1, 2, 3, None])
@pytest.mark.parametrize("body", BODIES)
def test_only_the_part_that_kills_its_worker_fails(
    engine: Harness, body: str, attempts: int | None, window: int
) -> None:
    engine.publish(map_of(BODIES[body](attempts), parallel=window))
    for _ in range(2):  # in which the pace is learnt: many parts are claimed at once
        assert_completed(engine.run("lost", {"items": ITEMS, "poison": -1}))
    calls.clear()
    run, deaths = run_through_deaths(engine, "lost", {"items": ITEMS, "poison": POISON})
    assert_completed(run, {"output": ANSWERS})
    limit = attempts or 5
    assert deaths == limit
    tries = tries_of(run)
    assert tries.pop(POISON) == limit
    assert max(tries.values()) <= min(limit, 2), tries
    assert min(tries.values()) >= 1
    assert_each_step_once(run)
    assert_at_rest(run)


@pytest.mark.parametrize("attempts", [1, 2])
def test_the_other_branches_of_a_split_are_not_taken_along(engine: Harness, attempts: int) -> None:
    retry = {"attempts": attempts, "backoff": "PT1S"}
    branch = {"input": {"attempts": 99}, "retry": retry, "on_error": "stopped", "next": "j"}
    engine.publish(
        workflow(
            "lost",
            fan_out("f", a="a", b="b", c="c"),
            activity("a", "test.count", result="calls", next="j"),
            activity("b", "test.die", **branch),
            edit("stopped", output="${error.code}", next="j"),
            activity("c", "test.count", result="calls", retry=retry, next="j"),
            fan_in("j"),
            end(output={"output": "${output}"}),
        )
    )
    run, deaths = run_through_deaths(engine, "lost", {})
    assert_completed(run, {"output": "lost_work"})
    assert deaths == attempts
    called = sorted(calls.values(), reverse=True)
    assert called in ([attempts, attempts, 1], [attempts, 1, 1])  # `a` may be in hand with `b`
    assert_each_step_once(run)


def attempts_of(run: Run, item: int) -> list[tuple[str, int, str | None]]:
    """Return (status, attempt, error code) of what history says of an item's activity."""
    rows = NodeExecution.objects.filter(run=run, thread__group__isnull=False, thread__idx=item)
    rows = rows.filter(node="kill").order_by("id")
    return [(row.status, row.attempt, row.error and row.error["code"]) for row in rows]


def test_every_attempt_that_was_lost_is_in_the_history(engine: Harness) -> None:
    engine.publish(map_of(BODIES["at once"](3)))
    for _ in range(2):
        assert_completed(engine.run("lost", {"items": ITEMS, "poison": -1}))
    calls.clear()
    run, _ = run_through_deaths(engine, "lost", {"items": ITEMS, "poison": POISON})
    lost = [("lost", number, "worker_lost") for number in (1, 2, 3)]
    assert attempts_of(run, POISON) == [*lost, ("failed", 3, "lost_work")]
    tries = tries_of(run)
    once_lost = [("lost", 1, "worker_lost"), ("completed", 2, None)]
    never_lost = [("completed", 1, None)]
    for item in set(ITEMS) - {POISON}:
        assert attempts_of(run, item) in (
            [once_lost, never_lost] if tries[item] == 1 else [once_lost]
        )
    assert max(tries[item] for item in range(POISON)) == 2, "none was in the same hands"


def test_a_lost_attempt_tells_who_had_it_and_when(engine: Harness) -> None:
    retry = {"attempts": 2, "backoff": "PT1S"}
    dies = activity("a", "test.die", retry=retry)
    engine.publish(workflow("lost", delay("pause", "PT5S"), dies, end()))
    begin = engine.clock.moment
    run, deaths = run_through_deaths(engine, "lost", {})
    assert_completed(run)
    assert deaths == 1
    row = NodeExecution.objects.get(run=run, status="lost")
    assert (row.node, row.kind, row.came_from) == ("pause", "delay", "start")
    assert row.worker == worker_name()
    assert row.error == {
        "code": "worker_lost",
        "message": row.error["message"],
        "node": "pause",
        "attempt": 1,
    }
    assert row.worker in row.error["message"]
    assert row.queued_at == row.started_at == begin + timedelta(seconds=5)
    assert row.ended_at - row.started_at == timedelta(seconds=conf.settings().lease_seconds)
    after = NodeExecution.objects.get(run=run, node="a")
    assert (after.status, after.attempt) == ("completed", 2)
    assert after.queued_at >= row.ended_at


def test_a_step_that_stayed_in_hand_was_begun_at_the_last_commit(engine: Harness) -> None:
    engine.publish(
        workflow(
            "lost",
            activity("a", "test.echo"),
            activity("b", "test.die", retry={"attempts": 2}),
            end(),
        )
    )
    run, _ = run_through_deaths(engine, "lost", {})
    assert_completed(run)
    row = NodeExecution.objects.get(run=run, status="lost")
    before = NodeExecution.objects.get(run=run, node="a")
    assert (row.node, row.seq, row.attempt) == ("b", before.seq + 1, 1)
    assert row.queued_at == row.started_at >= before.ended_at


def test_a_claim_that_is_found_lost_twice_is_recorded_once(engine: Harness) -> None:
    engine.publish(workflow("lost", activity("a", "test.die", retry={"attempts": 2}), end()))
    run = engine.start("lost")
    with pytest.raises(Killed):
        engine.drain()
    before = Thread.objects.values().get(run=run)
    engine.clock.move_to(engine.clock.moment + timedelta(minutes=1))
    for _ in range(2):
        swept = sweep_once()
        assert swept is not None
        assert swept.freed == 1
        Thread.objects.filter(run=run).update(**before)  # as a restored row would be
    assert NodeExecution.objects.filter(run=run, status="lost").count() == 1
