"""PostgreSQL crashes and stops while everything is at work: all of it goes on by itself."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connections
from knox.models import AuthToken

from project.processes import Child
from tests.support import activities, stubborn
from tests.support import services as servers
from tests.support.assertions import assert_completed
from tests.support.builder import Node, activity, delay, end, workflow
from tests.support.mini import MiniSet
from tests.support.waiting import pause, wait_for
from tests.support.web import Web, web_on
from tests.support.workers import Workers, pool_of
from workflows import services
from workflows.models import Lease, NodeExecution, Run

pytestmark = [
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.slow,
]

RUNS = "/api/v1/runs/"
QUICK = {"CELERIAC_LEASE_SECONDS": "2", "CELERIAC_MESSAGE_SECONDS": "2"}


@pytest.fixture
def fleet(quick: Workers) -> Workers:
    """Two workers and a beat that nobody starts again when they die."""
    quick.start(2, include=activities.__name__)
    quick.start_beat()
    wait_for(Lease.objects.exists)  # beat is up
    return quick


@pytest.fixture
def web(celery_dispatcher: None, transactional_db: None) -> Iterator[Web]:
    with web_on() as server:
        yield server


@pytest.fixture
def token(transactional_db: None) -> str:
    user = User.objects.create_superuser("ann")
    return str(AuthToken.objects.create(user)[1])


def statuses(web: Web, token: str, count: int = 24) -> set[int]:
    """Ask by many threads at once, so that every connection of the server is used."""
    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(lambda _: web.get(RUNS, token).status, range(count)))


def crash(server: Child) -> None:
    servers.crash_postgresql(server)
    connections.close_all()
    server.start()
    servers.wait_for_postgresql(server)


def test_everything_ends_after_a_crash_and_a_stop(
    fleet: Workers, web: Web, token: str, postgresql_process: Child
) -> None:
    before = [(child.pid, pool_of(child)) for child in fleet.running]
    mini = MiniSet()
    mini.begin()
    assert statuses(web, token) == {200}

    wait_for(lambda: NodeExecution.objects.filter(node="part").count() > 20)
    crash(postgresql_process)
    assert statuses(web, token) == {200}
    wait_for(lambda: mini.look() or NodeExecution.objects.filter(node="told").exists())

    postgresql_process.stop()
    connections.close_all()
    assert statuses(web, token, count=8) == {503}
    pause(4)
    postgresql_process.start()
    servers.wait_for_postgresql(postgresql_process)
    assert statuses(web, token) == {200}
    mini.finish(seconds=20)

    assert [(child.pid, pool_of(child)) for child in fleet.running] == before
    assert all(child.is_running() for child in fleet.running)
    _assert_nothing_is_broken()


@pytest.mark.parametrize("behind", [end(), delay("rest", "PT0.1S")], ids=["end", "delay"])
@pytest.mark.parametrize("ends", ["after", "during"])
def test_an_activity_that_outlives_an_outage_is_not_called_again(
    workers: Workers, postgresql_process: Child, tmp_path: Path, ends: str, behind: Node
) -> None:
    """Its answer is written as soon as that is possible: nobody else had its lease by then."""
    hold = activity("hold", "stubborn.hold", input={"place": str(tmp_path), "name": "go"})
    services.publish(json.dumps(workflow("outlives", hold, behind)))
    workers.start(1, concurrency=1, include=stubborn.__name__)
    workers.start_beat()
    wait_for(Lease.objects.exists)  # beat is up
    run = services.start("outlives").run
    wait_for(lambda: stubborn.lines(tmp_path, "started"))
    User.objects.create(username="ann")  # whoever commits flushes the claim as well
    servers.crash_postgresql(postgresql_process)
    connections.close_all()
    if ends == "during":
        (tmp_path / "go").touch()
        pause(2)
    postgresql_process.start()
    servers.wait_for_postgresql(postgresql_process)
    (tmp_path / "go").touch()
    wait_for(lambda: Run.objects.get(pk=run.pk).ended_at, seconds=12)
    assert_completed(run)
    assert stubborn.lines(tmp_path, "started") == ["go"]
    assert not NodeExecution.objects.exclude(status="completed").exists()


def test_a_step_that_may_be_started_only_once_is_not_started_again(
    workers: Workers, postgresql_process: Child, tmp_path: Path
) -> None:
    """Its claim is on the disk before it begins, so a crash cannot make it undone."""
    given = {"place": str(tmp_path), "name": "go"}
    hold = activity("hold", "stubborn.hold", input=given, retry={"attempts": 1})
    services.publish(json.dumps(workflow("once", hold, end())))
    workers.start(1, concurrency=1, include=stubborn.__name__)
    run = services.start("once").run
    wait_for(lambda: stubborn.lines(tmp_path, "started"), every=0.005)
    crash(postgresql_process)
    assert Run.objects.get(pk=run.pk).status == "running"
    (tmp_path / "go").touch()
    wait_for(lambda: Run.objects.get(pk=run.pk).ended_at, seconds=12)
    assert_completed(run)
    assert stubborn.lines(tmp_path, "started") == ["go"]


def test_slots_neither_fail_nor_spin_while_the_database_is_away(
    fleet: Workers, postgresql_process: Child
) -> None:
    """A failed part would stop its chord; one that comes back at once would come back for ever."""
    mini = MiniSet("slow", "wide")
    mini.begin()
    wait_for(lambda: NodeExecution.objects.filter(node="part").count() > 5)
    servers.crash_postgresql(postgresql_process)
    connections.close_all()
    pause(4)
    postgresql_process.start()
    servers.wait_for_postgresql(postgresql_process)
    mini.finish(seconds=20)
    said = [line for child in fleet.running for line in child.log.read_text().splitlines()]
    assert not [line for line in said if "Task workflows.slot" in line and "raised" in line]
    assert len([line for line in said if '"event": "slot' in line]) < 40


def _assert_nothing_is_broken() -> None:
    """Every process works again: nothing more is lost, and nothing waits for a lease."""
    lost = NodeExecution.objects.filter(status="lost").count()
    for _ in range(3):
        again = MiniSet("sequence", "few", "nested", "slow")
        again.begin()
        again.finish(seconds=10)
    assert NodeExecution.objects.filter(status="lost").count() == lost
