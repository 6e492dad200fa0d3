"""Splits that are joined in part, race and fail, on real workers and at the same moment."""

import json
from typing import Any

import pytest

from tests.support import activities
from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.big import BIG, ITEMS, assert_big
from tests.support.builder import edit, end, fan_in, fan_out, race, wait_event, workflow
from tests.support.failing import refuse
from tests.support.invariants import assert_invariants
from tests.support.racing import at_once, many
from tests.support.waiting import wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import NodeExecution, Run, Thread, ThreadGroup
from workflows.testing import Harness

MODULE = activities.__name__
NAMES = ("a", "b", "c", "d", "e", "f")

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def _begin(count: int) -> list[Run]:
    services.publish(json.dumps(BIG))
    return [services.start("big", {"items": ITEMS}).run for _ in range(count)]


def _all_ended() -> bool:
    return not Run.objects.filter(ended_at__isnull=True).exists()


@pytest.mark.workers
@pytest.mark.redis
def test_everything_nested_on_several_workers(workers: Workers) -> None:
    workers.start(2, include=MODULE)
    workers.start_beat()
    runs = _begin(4)
    wait_for(_all_ended, seconds=120)
    for run in runs:
        assert_big(run)
    assert_invariants()


@pytest.mark.workers
@pytest.mark.redis
def test_everything_nested_while_workers_are_killed(quick: Workers) -> None:
    """Contract: It fires once, when every live thread of the group has arrived or ended."""
    quick.start(2, include=MODULE, supervised=True)
    quick.start_beat()
    runs = _begin(3)
    for done in (10, 30, 50, 70):
        steps = NodeExecution.objects.filter(node="quick", status="completed")
        wait_for(lambda done=done, steps=steps: steps.count() >= done or _all_ended(), seconds=120)  # type: ignore[misc]
        quick.kill_pool_process()
    wait_for(_all_ended, seconds=180)
    for run in runs:
        assert_big(run)


def _ready(engine: Harness, definition: dict[str, Any]) -> tuple[Run, list[Thread]]:
    """Start a run and wake all its branches; return them, ready to move and not moving."""
    engine.publish(definition)
    run = engine.start(definition["workflow"])
    engine.drain()
    services.send_event("go", deliver="all")
    engine.lose_messages()
    threads = list(Thread.objects.filter(run=run, group__isnull=False).order_by("idx"))
    assert {thread.state for thread in threads} == {"ready"}
    return run, threads


def _move_all_at_once(threads: list[Thread]) -> None:
    def move(number: int) -> None:
        services.work_thread(threads[number].pk, threads[number].seq, queue="workflows")

    at_once(*many(len(threads), move))


def _waiting(name: str, behind: str | None) -> list[dict[str, Any]]:
    return [
        wait_event(name, "go", result="got", next=f"{name}2"),
        edit(f"{name}2", output=[name], next=behind),
    ]


@pytest.mark.parametrize("time", range(5))
def test_branches_that_finish_at_the_same_moment_have_one_winner(
    engine: Harness, time: int
) -> None:
    nodes = [node for name in NAMES for node in _waiting(name, None)]
    run, threads = _ready(
        engine,
        workflow("w", race("r", **{name: name for name in NAMES}, next="end"), *nodes, end()),
    )
    _move_all_at_once(threads)
    engine.jump(minutes=1)
    states = [Thread.objects.get(pk=thread.pk).state for thread in threads]
    assert sorted(states) == ["cancelled"] * 5 + ["ended"]
    winner = NAMES[states.index("ended")]
    assert_completed(run, {"output": [winner], "winner": winner})
    assert_each_step_once(run)
    assert_invariants()


@pytest.mark.parametrize("rest", ["cancel", "absorb"])
@pytest.mark.parametrize("time", range(3))
def test_branches_that_arrive_at_the_same_moment_are_counted_exactly(
    engine: Harness, rest: str, time: int
) -> None:
    nodes = [node for name in NAMES for node in _waiting(name, "j")]
    join = fan_in("j", wait_for=3, rest=rest)
    split = fan_out("s", **{name: name for name in NAMES})
    run, threads = _ready(engine, workflow("w", split, *nodes, join, wait_event("l", "l"), end()))
    _move_all_at_once(threads)
    engine.jump(minutes=1)
    assert ThreadGroup.objects.get(run=run).state == "joined"
    assert_invariants()
    assert NodeExecution.objects.filter(run=run, node="j").count() == 1
    engine.send("l")
    run = engine.result(run)
    assert len(run.output["output"]) == 3
    assert run.output["output"] == sorted(run.output["output"])
    states = [Thread.objects.get(pk=thread.pk).state for thread in threads]
    assert states.count("arrived") == (3 if rest == "cancel" else 6)
    assert_at_rest(run)


@pytest.mark.parametrize("tolerated", [2, 6])
@pytest.mark.parametrize("time", range(3))
def test_branches_that_fail_at_the_same_moment_are_counted_exactly(
    engine: Harness, tolerated: int, time: int
) -> None:
    nodes = [
        node
        for name in NAMES
        for node in (wait_event(name, "go", next=f"{name}2"), refuse(f"{name}2", next="j"))
    ]
    split = {**fan_out("s", **{name: name for name in NAMES}), "tolerate": {"count": tolerated}}
    run, threads = _ready(engine, workflow("w", split, *nodes, fan_in("j"), end()))
    _move_all_at_once(threads)
    engine.jump(minutes=1)
    run = engine.result(run)
    states = [Thread.objects.get(pk=thread.pk).state for thread in threads]
    if tolerated == 2:
        assert (run.status, run.error["code"]) == ("failed", "too_many_failures")
        assert sorted(states) == ["cancelled"] * 3 + ["failed"] * 3
    else:
        assert run.status == "completed"
        assert [each["name"] for each in run.output["errors"]] == list(NAMES)
    assert_at_rest(run)
    assert_invariants()


def test_a_winner_and_a_cancel_at_the_same_moment(engine: Harness) -> None:
    nodes = [node for name in NAMES for node in _waiting(name, None)]
    definition = workflow(
        "w", race("r", **{name: name for name in NAMES}, next="end"), *nodes, end()
    )
    for _ in range(4):
        run, threads = _ready(engine, definition)

        def move(number: int, threads: list[Thread] = threads, run: Run = run) -> None:
            if number == 0:
                services.cancel(run.pk)
            else:
                services.work_thread(threads[number].pk, threads[number].seq, queue="workflows")

        at_once(*many(len(threads), move))
        engine.jump(minutes=1)
        assert engine.result(run).status == "cancelled"
        assert_at_rest(run)
        assert_invariants()
