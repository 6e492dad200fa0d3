"""Limits: rates and places of queues, and the numbers that stop what would never end."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from tests.support.activities import Killed, calls
from tests.support.assertions import (
    assert_completed,
    assert_each_step_once,
    assert_failed,
    seconds_of,
)
from tests.support.builder import (
    activity,
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
from workflows import services
from workflows.models import NodeExecution, Run, Thread
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def queue_with(**limits: Any) -> Any:
    """Limit the queue `slow`."""
    return override_settings(
        CELERIAC={**django_settings.CELERIAC, "QUEUES": {"slow": limits, "other": {}}}
    )


@pytest.fixture
def two_places(engine: Harness) -> Iterator[Harness]:
    with queue_with(concurrency=2):
        yield engine


@pytest.fixture
def two_a_second(engine: Harness) -> Iterator[Harness]:
    with queue_with(rate="2/s", burst=1):
        yield engine


def test_the_rate_of_a_queue_holds_for_the_activities_on_it(two_a_second: Harness) -> None:
    part = activity("part", "test.echo", queue="slow", input={"value": 1}, next=None)
    two_a_second.publish(workflow("lim", each("m", "part", next="end"), part, end()))
    run = two_a_second.run("lim", {"items": list(range(7))})
    assert_completed(run)
    starts = _starts(run, "part")
    assert [after - before for before, after in pairwise(starts)] == [0.5] * 6


def test_the_rate_of_a_queue_holds_for_slices_on_it(two_a_second: Harness) -> None:
    part = edit("part", output="${items}", next=None)
    rows = batch("b", "part", size=1, queue="slow", next="end")
    two_a_second.publish(workflow("lim", rows, part, end()))
    run = two_a_second.run("lim", {"items": [1, 2, 3, 4, 5]})
    assert_completed(run, {"items": [1, 2, 3, 4, 5], "output": [1, 2, 3, 4, 5]})
    assert seconds_of(run) == 2


def test_a_rate_holds_when_woken_slices_hand_their_places_on(two_a_second: Harness) -> None:
    two_a_second.publish(
        workflow(
            "lim",
            batch("b", "count", size=1, parallel=2, queue="slow", next="end"),
            activity("count", "test.echo", input={"value": 1}),
            wait_event("ask", "go"),
            edit("done", next=None),
            end(),
        )
    )
    run = two_a_second.start("lim", {"items": [1, 2, 3, 4]})
    for _ in range(20):
        two_a_second.send("go", deliver="all")
        two_a_second.jump(seconds=0.25)
    assert_completed(run)
    starts = _starts(run, "count")
    gaps = [after - before for before, after in pairwise(starts)]
    assert min(gaps) >= 0.5, gaps


def test_an_idle_queue_saves_up_no_more_than_its_burst(engine: Harness) -> None:
    part = activity("part", "test.echo", queue="slow", next=None)
    with queue_with(rate="1/s", burst=3):
        engine.publish(workflow("lim", each("m", "part", next="end"), part, end()))
        assert_completed(engine.run("lim", {"items": [1]}))
        engine.jump(hours=1)
        run = engine.run("lim", {"items": list(range(5))})
    assert _starts(run, "part") == [0, 0, 0, 1, 2]


def test_places_of_a_queue_are_shared_by_all_runs(two_places: Harness) -> None:
    part = activity("part", "test.on_queue", queue="slow", next=None)
    two_places.publish(workflow("lim", each("m", "part", next="end"), part, end()))
    runs = [two_places.start("lim", {"items": [1, 2, 3, 4]}) for _ in range(3)]
    two_places.jump(seconds=30)
    for run in runs:
        assert_completed(run)
        assert max(two_places.result(run).output["output"]) <= 2


def test_other_queues_go_on_while_one_is_held_up(engine: Harness) -> None:
    with queue_with(rate="1/h", burst=1):
        engine.publish(workflow("held", activity("a", "test.echo", queue="slow"), end()))
        engine.publish(workflow("free", edit("a", x=1), end()))
        held = [engine.start("held") for _ in range(3)]
        free = engine.run("free")
        assert_completed(free)
        assert seconds_of(free) == 0
        engine.jump(hours=3)
    for run in held:
        assert_completed(run)


def test_a_lost_step_on_a_limited_queue_is_done_again_there(two_a_second: Harness) -> None:
    """The queue of a group takes back its own parts only, not those that work elsewhere."""
    two_a_second.publish(
        workflow(
            "lim",
            each("m", "part", next="end"),
            activity("part", "test.die", queue="slow", result="died"),
            edit("last", output="${died}", next=None),
            end(),
        )
    )
    run = two_a_second.start("lim", {"items": [1, 2]})
    for _ in range(2):
        with pytest.raises(Killed):
            two_a_second.jump(seconds=1)
    assert Thread.objects.filter(run=run, state="running", queue="slow").count() == 2
    two_a_second.jump(seconds=20)  # the leases are over
    two_a_second.jump(seconds=2)
    assert_completed(run, {"items": [1, 2], "output": [2, 2]})
    assert not Thread.objects.filter(run=run, group__isnull=False).exclude(queue="slow").exists()


def test_a_part_goes_back_to_its_group_s_queue_when_it_has_slept(engine: Harness) -> None:
    with queue_with():
        engine.publish(
            workflow(
                "lim",
                each("m", "part", queue="slow", next="end"),
                activity("part", "test.echo", queue="other", input={"value": 1}),
                delay("rest", "PT1S"),
                activity("where", "test.on_queue", next=None),
                end(),
            )
        )
        run = engine.run("lim", {"items": [1]})
    assert_completed(run)
    assert Thread.objects.get(run=run, group__isnull=False).queue == "slow"


def test_a_step_that_always_kills_its_worker_is_stopped(engine: Harness) -> None:
    engine.publish(workflow("lim", activity("a", "test.die", input={"attempts": 99}), end()))
    run = engine.start("lim")
    deaths = 0
    while engine.result(run).ended_at is None:
        try:
            engine.jump(seconds=20)
        except Killed:
            deaths += 1
    assert deaths == 5
    assert_failed(run, "lost_work", "a")


def test_a_step_that_kills_its_worker_takes_no_neighbour_along(engine: Harness) -> None:
    calls.clear()
    retry = {"attempts": 2, "backoff": "PT1S"}
    engine.publish(
        workflow(
            "lim",
            fan_out("f", a="a", b="b", c="c"),
            activity("a", "test.count", next="j", on_error="a2"),
            edit("a2", next="j"),
            activity("b", "test.die", input={"attempts": 9}, retry=retry, on_error="b2", next="j"),
            edit("b2", output="${error.code}", next="j"),
            activity("c", "test.count", next="j"),
            fan_in("j"),
            end(),
        )
    )
    run = engine.start("lim")
    deaths = 0
    while engine.result(run).ended_at is None:
        try:
            engine.jump(seconds=20)
        except Killed:
            deaths += 1
    assert deaths == 2
    assert_each_step_once(run)
    assert engine.result(run).output["output"][1] == "lost_work"
    calls.clear()


def test_a_run_past_its_time_fails_with_all_its_parts(engine: Harness) -> None:
    engine.publish(
        workflow(
            "lim",
            each("m", "ask", next="end"),
            wait_event("ask", "never", next=None),
            end(),
            limits={"timeout": "P1D"},
        )
    )
    run = engine.start("lim", {"items": [1, 2]})
    engine.jump(hours=23)
    assert engine.result(run).status == "suspended"
    engine.jump(hours=1)
    assert_failed(run, "run_timeout")


def test_the_node_limit_names_the_node_that_ran_most(engine: Harness) -> None:
    engine.publish(
        workflow(
            "lim",
            edit("often", n="${n + 1}"),
            delay("wait", "PT1S"),
            switch("again", "rare", often="n < 5"),
            edit("rare", n=0),
            delay("rest", "PT1S", next="often"),
            limits={"node_executions": 16},
        )
    )
    run = engine.run("lim", {"n": 0})
    assert_failed(run, "too_many_nodes", "rare")
    assert NodeExecution.objects.filter(run=run, status="completed").count() == 16
    message = engine.result(run).error["message"]
    assert "executed 16 nodes" in message
    assert any(f"most of them at {node!r}" in message for node in ("often", "wait", "again"))


def _starts(run: Run, node: str) -> list[float]:
    steps = NodeExecution.objects.filter(run=run, node=node).order_by("started_at")
    times = list(steps.values_list("started_at", flat=True))
    return [(time - times[0]).total_seconds() for time in times]


def test_what_waits_on_a_limited_queue_waits_as_rows_and_goes_in_order(engine: Harness) -> None:
    with queue_with(rate="1/s", burst=1):
        engine.publish(workflow("lim", activity("a", "test.echo", queue="slow"), end()))
        started = [engine.start("lim", {"n": number}) for number in range(12)]
        engine.drain()
        waiting = Thread.objects.filter(state="ready", queue="slow")
        assert waiting.count() >= 10
        assert waiting.filter(lease_until__isnull=False).count() <= 3, "messages under way"
        engine.jump(seconds=40)
    ends = [seconds_of(engine.result(run)) for run in started]
    assert ends == sorted(ends)
    assert all(after - before >= 1 for before, after in pairwise(ends))


def test_a_window_full_of_sleepers_gets_no_helpers(engine: Harness) -> None:
    engine.publish(
        workflow(
            "lim",
            batch("b", "w", size=1, parallel=2),
            end(),
            {"id": "w", "type": "wait_event", "event": "go", "next": None},
        )
    )
    run = engine.start("lim", {"items": [1, 2, 3, 4]})
    engine.drain()
    engine.clock.move_to(engine.clock.moment + timedelta(minutes=1))
    swept = services.sweep()
    assert swept is not None
    assert swept.helped == 0
    assert engine.result(run).status == "suspended"
