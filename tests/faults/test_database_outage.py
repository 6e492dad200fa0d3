"""PostgreSQL crashes and stops while everything is at work: all of it goes on by itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connections
from knox.models import AuthToken
from pytest_django import Settings

from project.processes import Child
from tests.support import activities
from tests.support import services as servers
from tests.support.mini import MiniSet
from tests.support.waiting import pause, wait_for
from tests.support.web import Web, web_on
from tests.support.workers import Workers, pool_of, workers_on
from workflows.models import NodeExecution

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.slow,
]

RUNS = "/api/v1/runs/"
QUICK = {"CELERIAC_LEASE_SECONDS": "2", "CELERIAC_MESSAGE_SECONDS": "2"}


@pytest.fixture
def fleet(celery_dispatcher: None, settings: Settings, transactional_db: None) -> Iterator[Workers]:
    """Two workers and a beat that nobody starts again when they die."""
    settings.CELERIAC = {**settings.CELERIAC, "LEASE_SECONDS": 2.0, "MESSAGE_SECONDS": 2.0}
    with workers_on(**QUICK) as workers:
        workers.start(2, include=activities.__name__)
        workers.start_beat()
        yield workers


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


def _assert_nothing_is_broken() -> None:
    """Every process works again: nothing more is lost, and nothing waits for a lease."""
    lost = NodeExecution.objects.filter(status="lost").count()
    for _ in range(3):
        again = MiniSet("sequence", "few", "nested", "slow")
        again.begin()
        again.finish(seconds=10)
    assert NodeExecution.objects.filter(status="lost").count() == lost
