"""One part of a group takes long: the others neither wait for it nor for the slot that has it."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from pytest_django import Settings

from tests.support import activities, stubborn  # noqa: F401 - registers them
from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import activity, each, end, workflow
from tests.support.orders import ONE_LEG
from tests.support.waiting import wait_for
from tests.support.workers import Workers, workers_on
from workflows import clock, services
from workflows.dispatch import publish
from workflows.models import NodeExecution, Run, Thread, ThreadGroup
from workflows.testing import Harness

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.redis,
]

ITEMS = list(range(8))
LONG = 1


def map_over(place: Path) -> dict[str, Any]:
    """A map of which one item takes as long as the test likes."""
    part = activity(
        "part",
        "stubborn.hold",
        input={"place": str(place), "name": "${'item' + to_string(item)}", "value": "${item}"},
        next=None,
    )
    return workflow("long", each("m", "part", next="end"), part, end(output={"o": "${output}"}))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the activities look: all items but one may end at once."""
    for item in ITEMS:
        if item != LONG:
            (tmp_path / f"item{item}").touch()
    return tmp_path


@pytest.fixture
def fleet(celery_dispatcher: None, settings: Settings, transactional_db: None) -> Iterator[Workers]:
    """Two workers of one process each, with short leases."""
    settings.CELERIAC = {**settings.CELERIAC, "SLOTS": 2, "LEASE_SECONDS": 3.0}
    with workers_on(CELERIAC_CONCURRENCY="2", CELERIAC_LEASE_SECONDS="3") as workers:
        yield workers


@pytest.fixture
def patient(celery_dispatcher: None, transactional_db: None) -> Iterator[Workers]:
    """Workers that keep what they have claimed for as long as a test may last."""
    with workers_on(CELERIAC_LEASE_SECONDS="90") as workers:
        yield workers


def split(place: Path) -> tuple[Run, ThreadGroup]:
    """Start the run, and move it up to its split in this process."""
    services.publish(json.dumps(map_over(place)))
    run = services.start("long", {"items": ITEMS}).run
    services.work_thread(Thread.objects.get(run=run).pk, 0, queue="workflows")
    return run, ThreadGroup.objects.get(run=run)


def count_done(run: Run) -> int:
    return NodeExecution.objects.filter(run=run, node="part", status="completed").count()


def finish(run: Run, place: Path) -> None:
    (place / f"item{LONG}").touch()
    wait_for(lambda: Run.objects.get(pk=run.pk).ended_at, seconds=15)
    assert_completed(run, {"o": ITEMS})
    assert_at_rest(run)
    assert_each_step_once(run)
    started = stubborn.lines(place, "started")
    assert sorted(started) == [f"item{item}" for item in ITEMS], "each was called once"


def is_held(run: Run) -> bool:
    return Thread.objects.filter(run=run, idx=LONG, group__isnull=False, state="running").exists()


def test_a_lost_chord_is_worked_on_while_one_part_takes_long(
    fleet: Workers, redis_client: redis.Redis, place: Path
) -> None:
    run, group = split(place)
    redis_client.flushall()  # the chord is gone
    publish.send_helpers(group.pk, "workflows", 1)
    fleet.start(2, concurrency=1, include=stubborn.__name__)
    fleet.start_beat()
    wait_for(lambda: f"item{LONG}" in stubborn.lines(place, "started"))
    wait_for(lambda: count_done(run) == len(ITEMS) - 1, seconds=15)
    assert is_held(run)
    finish(run, place)


def test_what_was_claimed_with_a_long_part_goes_to_others(fleet: Workers, place: Path) -> None:
    """Nobody sweeps here: who is held up gives back what it has not begun, and tells others."""
    run, _group = split(place)
    fleet.start(2, concurrency=1, include=stubborn.__name__)
    wait_for(lambda: count_done(run) == len(ITEMS) - 1, seconds=15)
    assert is_held(run)
    finish(run, place)


def test_as_many_parts_as_slots_are_worked_on_side_by_side(patient: Workers, place: Path) -> None:
    """One that is fast as a rule may be slow this time: the slots share what there is."""
    services.publish(json.dumps(map_over(place)))
    patient.start(1, concurrency=2, include=stubborn.__name__)
    for _ in range(3):  # in which each process learns that the parts are fast
        usual = services.start("long", {"items": [3, 4]}).run
        wait_for(lambda run=usual: Run.objects.get(pk=run.pk).ended_at)  # type: ignore[misc]
    for item in (3, 4):
        (place / f"item{item}").unlink()
    (place / "started").unlink()
    run = services.start("long", {"items": [3, 4]}).run
    wait_for(lambda: len(stubborn.lines(place, "started")) == 2, seconds=15)
    for item in (3, 4):
        (place / f"item{item}").touch()
    wait_for(lambda: Run.objects.get(pk=run.pk).ended_at)
    assert_completed(run, {"o": [3, 4]})


def test_helpers_do_not_pile_up(settings: Settings) -> None:
    """One goes on until the sweeper sends later ones: those are enough."""
    settings.CELERIAC = {**settings.CELERIAC, **ONE_LEG}
    part = activity("part", "test.echo", input={"value": "${item}"}, next=None)
    with Harness.open() as engine:
        engine.publish(workflow("many", each("m", "part", next="end"), part, end()))
        run = engine.start("many", {"items": list(range(200))})
        engine.pump.step()
        engine.lose_messages()
        group = ThreadGroup.objects.get(run=run)
        engine.clock.move_to(clock.now() + timedelta(seconds=4))
        services.sweep()
        first = clock.now()
        assert ThreadGroup.objects.get().helped_at == first

        def goes_on(sent_at: datetime) -> bool:
            return services.help_group(group.pk, queue=group.queue, sent_at=sent_at).has_more

        assert goes_on(first)
        ThreadGroup.objects.update(helped_at=first + timedelta(seconds=3))
        assert not goes_on(first)
        assert goes_on(first + timedelta(seconds=3))
        engine.jump(seconds=10)
    assert_completed(run)
