"""The limits of a queue change while work waits on it: the new ones hold, and nothing is lost."""

from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from tests.support import activities  # noqa: F401 - registers them
from tests.support.assertions import assert_completed, assert_each_step_once, seconds_of
from tests.support.builder import activity, batch, each, edit, end, workflow
from workflows.models import NodeExecution, Run, Thread
from workflows.testing import Harness

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

LONE = workflow("lone", activity("part", "test.echo", queue="slow"), end())
PARTS = workflow(
    "parts",
    each("m", "part", next="end"),
    activity("part", "test.echo", queue="slow", next=None),
    end(),
)
SLICES = workflow(
    "slices", batch("b", "part", size=1, queue="slow"), end(), edit("part", output=1, next=None)
)


def queue_with(**limits: Any) -> Any:
    """Limit the queue `slow`."""
    return override_settings(CELERIAC={**django_settings.CELERIAC, "QUEUES": {"slow": limits}})


def starts_of(*runs: Run) -> list[float]:
    """Return when each `part` of the runs has started, in seconds since the first of them."""
    steps = NodeExecution.objects.filter(run__in=runs, node="part", status="completed")
    times = sorted(steps.values_list("started_at", flat=True))
    return [(time - times[0]).total_seconds() for time in times]


@pytest.mark.parametrize("definition", [PARTS, SLICES], ids=["messages", "slots"])
def test_a_queue_that_was_never_used_has_its_burst(definition: dict[str, Any]) -> None:
    with queue_with(rate="1/s", burst=3), Harness.open() as engine:
        engine.publish(definition)
        run = engine.run(definition["workflow"], {"items": list(range(5))})
    assert_completed(run)
    assert starts_of(run) == [0, 0, 0, 1, 2]


@pytest.mark.parametrize("definition", [PARTS, SLICES], ids=["messages", "slots"])
def test_a_raised_rate_holds_at_once(definition: dict[str, Any]) -> None:
    with Harness.open() as engine:
        with queue_with(rate="1/h", burst=1):
            engine.publish(definition)
            run = engine.start(definition["workflow"], {"items": list(range(7))})
            engine.jump(minutes=1)
            assert len(starts_of(run)) == 1
        with queue_with(rate="2/s", burst=1):
            engine.jump(seconds=5)
    assert_completed(run)
    assert_each_step_once(run)
    gaps = [after - before for before, after in pairwise(starts_of(run))]
    assert 60 <= gaps[0] <= 60.5
    assert gaps[1:] == [0.5] * 5


@pytest.mark.parametrize("definition", [PARTS, SLICES], ids=["messages", "slots"])
def test_a_lowered_rate_holds_at_once(definition: dict[str, Any]) -> None:
    with Harness.open() as engine:
        with queue_with(rate="10/s", burst=1):
            engine.publish(definition)
            run = engine.start(definition["workflow"], {"items": list(range(20))})
            engine.jump(seconds=0.95)
            assert len(starts_of(run)) == 10
        with queue_with(rate="6/m", burst=1):
            engine.jump(minutes=5)
    assert_completed(run)
    gaps = [after - before for before, after in pairwise(starts_of(run))]
    # The token that was due next is kept; those after it come at the new rate.
    assert gaps == pytest.approx([0.1] * 10 + [10.0] * 9)


@pytest.mark.parametrize("definition", [PARTS, SLICES], ids=["messages", "slots"])
def test_a_limit_that_is_lifted_lets_everything_go(definition: dict[str, Any]) -> None:
    with Harness.open() as engine:
        with queue_with(rate="1/h", burst=1):
            engine.publish(definition)
            run = engine.start(definition["workflow"], {"items": list(range(7))})
            engine.jump(minutes=1)
        with queue_with():
            engine.jump(seconds=20)
    assert_completed(run)
    assert len(starts_of(run)) == 7


@pytest.mark.parametrize("definition", [PARTS, SLICES], ids=["messages", "slots"])
def test_a_raised_rate_holds_soon_for_what_nobody_has_a_message_of(
    definition: dict[str, Any],
) -> None:
    """As when all workers are killed and others are started with new limits."""
    with Harness.open() as engine:
        with queue_with(rate="1/h", burst=1):
            engine.publish(definition)
            run = engine.start(definition["workflow"], {"items": list(range(7))})
            engine.jump(minutes=1)
            engine.lose_messages()
        with queue_with(rate="2/s", burst=1):
            for _ in range(30):
                engine.jump(seconds=1)
    assert_completed(run)
    assert_each_step_once(run)


def test_a_limit_that_is_new_holds_for_what_waits_already() -> None:
    with Harness.open() as engine:
        with queue_with():
            engine.publish(LONE)
            runs = [engine.start("lone") for _ in range(6)]
            while engine.pump.step() and Thread.objects.filter(queue="slow").count() < len(runs):
                pass
            assert not starts_of(*runs)
        with queue_with(rate="1/s", burst=2):
            engine.jump(minutes=1)
    for run in runs:
        assert_completed(run)
    assert starts_of(*runs) == [0, 0, 1, 2, 3, 4]


def test_order_is_kept_over_every_change() -> None:
    changes: list[dict[str, Any]] = [
        {"rate": "1/h", "burst": 1},
        {"rate": "2/s", "burst": 1},
        {"concurrency": 1},
        {"rate": "6/m", "burst": 2, "concurrency": 3},
        {"rate": "1/s", "burst": 1},
    ]
    with Harness.open(seed=5) as engine:
        with queue_with():
            engine.publish(LONE)
        started = []
        for limits in changes:
            with queue_with(**limits):
                for _ in range(5):
                    started.append(engine.start("lone"))
                    engine.jump(seconds=0.001)
                engine.jump(seconds=1.5)
        with queue_with(rate="1/s", burst=1):
            engine.jump(minutes=2)
    for run in started:
        assert_completed(run)
        assert_each_step_once(run)
    begun = {
        step.run_id: step.started_at
        for step in NodeExecution.objects.filter(run__in=started, node="part")
    }
    order = sorted(started, key=lambda run: begun[run.pk])
    places = [started.index(run) for run in order]
    assert places == sorted(places)
    assert max(seconds_of(engine.result(run)) for run in started) > 1
