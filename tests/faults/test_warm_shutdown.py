"""A worker is asked to stop (SIGTERM) in the midst of its work: it ends that, others go on at once.

Leases are long and nobody sweeps in these tests: whatever waited for either would not end in time.
"""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from pytest_django import Settings

from project.processes import Child
from tests.support import stubborn
from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import activity, each, end, workflow
from tests.support.waiting import wait_for
from tests.support.workers import Workers, workers_on
from workflows import services
from workflows.models import NodeExecution, Run, Thread

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.redis,
]

ITEMS = list(range(60))
LONG = {"CELERIAC_LEASE_SECONDS": "300", "CELERIAC_MESSAGE_SECONDS": "300"}
LIMITED = json.dumps({"slow": {"rate": "20/m", "burst": 1}})


@pytest.fixture
def fleet(celery_dispatcher: None, settings: Settings, transactional_db: None) -> Iterator[Workers]:
    own = {"MESSAGE_SECONDS": 300.0, "QUEUES": json.loads(LIMITED)}
    settings.CELERIAC = {**settings.CELERIAC, **own}
    with workers_on(CELERIAC_QUEUES=LIMITED, **LONG) as workers:
        yield workers


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the activities look: only `long` may not end at once."""
    (tmp_path / "short").touch()
    return tmp_path


def publish(definition: dict[str, Any]) -> str:
    return services.publish(json.dumps(definition)).version.workflow.name


def held(place: Path, name: str = "held", **fields: Any) -> str:
    """A run's only step ends when the test says so."""
    given = {"place": str(place), "name": "${name}", "value": "${name}"}
    step = activity("hold", "stubborn.hold", input=given, **fields)
    return publish(workflow(name, step, end(output={"o": "${output}"})))


def ask_to_stop(worker: Child) -> None:
    worker.process.send_signal(signal.SIGTERM)  # type: ignore[union-attr]


def has_stopped(worker: Child) -> bool:
    return not worker.is_running()


def all_over(*runs: Run) -> bool:
    keys = [run.pk for run in runs]
    return not Run.objects.filter(pk__in=keys, ended_at__isnull=True).exists()


@pytest.mark.parametrize("parallel", [0, 4])
def test_a_slot_gives_its_work_to_the_other_worker(
    fleet: Workers, tmp_path: Path, parallel: int
) -> None:
    given = {"place": str(tmp_path), "name": "part", "value": "${item}", "seconds": 0.1}
    part = activity("part", "stubborn.note", input=given, next=None)
    rows = each("m", "part", next="end", parallel=parallel)
    name = publish(workflow("slots", rows, part, end(output={"o": "${output}"})))
    first, second = fleet.start(2, include=stubborn.__name__)
    runs = [services.start(name, {"items": ITEMS}).run for _ in range(2)]
    wait_for(lambda: NodeExecution.objects.filter(node="part").count() > 10)
    ask_to_stop(first)
    wait_for(lambda: has_stopped(first), seconds=10)
    assert first.exit_code() == 0
    assert not all_over(*runs), "it was over too early to tell anything"
    wait_for(lambda: all_over(*runs), seconds=20)
    for run in runs:
        assert_completed(run, {"o": ITEMS})
        assert_each_step_once(run)
        assert_at_rest(run)
    assert len(stubborn.lines(tmp_path, "part")) == 2 * len(ITEMS), "each was called once"
    assert second.is_running()


def stop_in_the_midst(fleet: Workers, place: Path) -> tuple[Child, Run]:
    """Give a worker that was asked to stop, and a run with an activity that keeps it from that."""
    (worker,) = fleet.start(1, include=stubborn.__name__)
    long = services.start(held(place), {"name": "long"}).run
    wait_for(lambda: stubborn.lines(place, "started") == ["long"])
    ask_to_stop(worker)
    return worker, long


def let_it_stop(worker: Child, place: Path, long: Run) -> None:
    """The activity ends, and its answer counts."""
    assert worker.is_running()
    (place / "long").touch()
    wait_for(lambda: has_stopped(worker), seconds=10)
    wait_for(lambda: all_over(long), seconds=5)
    assert_completed(long, {"o": "long"})
    assert stubborn.lines(place, "started").count("long") == 1
    assert not NodeExecution.objects.exclude(status="completed").exists()


def test_others_do_not_wait_for_a_worker_with_a_long_activity(fleet: Workers, place: Path) -> None:
    """It takes no more messages; one that was on its way to it goes back."""
    worker, long = stop_in_the_midst(fleet, place)
    short = [services.start("held", {"name": "short"}).run for _ in range(8)]
    fleet.start(1, include=stubborn.__name__)
    wait_for(lambda: all_over(*short), seconds=10)
    let_it_stop(worker, place, long)
    assert len(stubborn.lines(place, "started")) == 9


def test_what_a_limit_holds_up_does_not_wait_for_it_either(
    fleet: Workers, place: Path, redis_client: redis.Redis
) -> None:
    """Messages that come back later lie in the worker meanwhile: it gives them back as well."""
    given = {"place": str(place), "name": "limited"}
    limited = activity("note", "stubborn.note", input=given, queue="slow")
    name = publish(workflow("limited", limited, end()))
    (worker,) = fleet.start(1, include=stubborn.__name__)
    long = services.start(held(place), {"name": "long"}).run
    runs = [services.start(name).run for _ in range(4)]
    wait_for(lambda: stubborn.lines(place, "limited"))
    # Two messages wait as rows only; the worker has the third, and that of the long activity.
    waiting = Thread.objects.filter(queue="slow", state="ready")
    wait_for(lambda: waiting.filter(lease_until=None).count() == 2)
    wait_for(lambda: redis_client.hlen("celeriac:unacked") == 2)
    ask_to_stop(worker)
    fleet.start(1, include=stubborn.__name__)
    wait_for(lambda: all_over(*runs), seconds=15)
    let_it_stop(worker, place, long)
    assert len(stubborn.lines(place, "limited")) == 4
