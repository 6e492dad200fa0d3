"""The review with its workers killed, Redis flushed and stopped: the same report, nothing twice."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import redis
from django.contrib.auth.models import Group, User
from django.db import connection

from approvals.models import ApprovalRequest
from approvals.services import decide
from examples.dependency_review import demo_people
from project.processes import Child
from tests.support import services as servers
from tests.support.assertions import assert_at_rest, assert_each_step_once
from tests.support.site_packages import SitePackages
from tests.support.waiting import pause, wait_for
from tests.support.workers import Workers, workers_on
from workflows import services
from workflows.models import Lease, NodeExecution, QueueState, Run, Thread, ThreadGroup
from workflows.states import THREAD_LIVE
from workflows.testing import Harness

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.slow,
]

EXAMPLE = Path(demo_people.__file__).parent
PACKAGES, SLICES, KILLS = 400, 20, 20
#: Slow enough that the slices are worked on while the kills happen.
QUEUES = json.dumps({"inspection": {"rate": "3/s", "burst": 1, "concurrency": 8}})


@pytest.fixture
def site(tmp_path: Path) -> SitePackages:
    site = SitePackages(tmp_path / "site-packages")
    for number in range(PACKAGES):
        name = f"package_{number:03}"
        licence = {0: "LGPL-3.0-only", 1: "Odd-1.0"}.get(number % 40, "MIT")
        made = site.add(name, expression=licence)
        if number == 77:
            made.tamper(f"{name}/__init__.py")
    return site


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    for group, name in {"legal": "lena", "security": "sam"}.items():
        User.objects.create(username=name).groups.add(Group.objects.create(name=group))
    User.objects.create(username="alice")


@pytest.fixture
def fleet(celery_dispatcher: None) -> Iterator[Workers]:
    """Two supervised workers and a beat, with leases short enough to lose some."""
    quick = {"CELERIAC_LEASE_SECONDS": "2", "CELERIAC_MESSAGE_SECONDS": "3"}
    with workers_on(CELERIAC_QUEUES=QUEUES, **quick) as workers:
        workers.start(2, concurrency=2, supervised=True)
        workers.start_beat(supervised=True)
        yield workers


def begin(site: SitePackages) -> Run:
    services.publish((EXAMPLE / "workflow.yaml").read_text())
    alice = User.objects.get(username="alice")
    return services.start("dependency-review", {"environment": str(site.path)}, by=alice).run


def open_requests() -> list[ApprovalRequest]:
    return list(ApprovalRequest.objects.filter(status="open").order_by("pk"))


def answer(request: ApprovalRequest) -> None:
    """Decide as the people of the demo do."""
    is_legal = request.groups == ["legal"]
    rule = demo_people.answer_of_legal if is_legal else demo_people.answer_of_security
    given = rule({"shown": request.shown})
    who = User.objects.get(username="lena" if is_legal else "sam")
    decide(request.pk, user=who, decision=given.decision, form=dict(given.form))


def undisturbed_report(site: SitePackages) -> dict[str, Any]:
    with Harness.open() as engine:
        run = begin(site)
        engine.jump(minutes=1)
        for request in open_requests():
            answer(request)
        engine.jump(minutes=1)
        run.refresh_from_db()
    report: dict[str, Any] = run.output
    return report


class Watch:
    """Counts, all the time, how many slices live at once."""

    def __init__(self) -> None:
        self.most = 0
        self.looks = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        live = Thread.objects.filter(group__node="slices", state__in=THREAD_LIVE)
        try:
            while not self._stop.wait(0.005):
                self.most = max(self.most, live.count())
                self.looks += 1
        finally:
            connection.close()


class Fire:
    """Kills at random, and harms Redis at two of the kills."""

    def __init__(self, fleet: Workers, server: Child, client: redis.Redis) -> None:
        self.fleet, self.server, self.client = fleet, server, client
        self.dice = random.Random(7)  # noqa: S311
        self.kills = 0
        self.harm: dict[int, Callable[[], object]] = {
            5: client.flushall,
            9: self._outage,
        }

    def _outage(self) -> None:
        """Stop Redis for a while. One kill in it: whoever is killed cannot come back before it."""
        self.server.stop()
        self._strike()
        pause(self.dice.uniform(0.5, 1.5))
        self.server.start()
        servers.wait_for_redis(self.server)

    def kill(self) -> None:
        pause(self.dice.uniform(0.1, 0.6))
        if self.kills in self.harm:
            self.harm.pop(self.kills)()
        self._strike()

    def _strike(self) -> None:
        self.fleet.strike(self.dice)
        self.kills += 1


def test_the_report_is_the_same_and_nothing_is_done_twice(
    site: SitePackages, fleet: Workers, redis_process: Child, redis_client: redis.Redis
) -> None:
    """Contract: A window holds across workers and crashes."""
    expected = undisturbed_report(site)
    # Its virtual time is far ahead; nothing of it may be left.
    for model in (Run, ApprovalRequest, Lease, QueueState):
        model.objects.all().delete()
    fire = Fire(fleet, redis_process, redis_client)
    with Watch() as watch:
        run = begin(site)
        while fire.kills < KILLS - 5:
            fire.kill()
        asked = len(expected["decisions"])
        wait_for(lambda: len(open_requests()) == asked, seconds=90)
        for request in open_requests():
            answer(request)
            fire.kill()
        while fire.kills < KILLS:
            fire.kill()
        wait_for(lambda: Run.objects.get(pk=run.pk).ended_at, seconds=90)

    run.refresh_from_db()
    assert (run.status, run.error) == ("completed", None)
    assert run.output == expected
    inspected = NodeExecution.objects.filter(run=run, node="inspect", status="completed")
    assert inspected.count() == SLICES
    assert inspected.values("thread_id").distinct().count() == SLICES
    assert_each_step_once(run)
    assert_at_rest(run)
    groups = ThreadGroup.objects.filter(run=run)
    assert {group.state for group in groups} == {"joined"}
    joins = NodeExecution.objects.filter(run=run, node__in=("slices", "answered", "ask_legal"))
    assert joins.count() == 3
    assert watch.looks > 100
    assert 1 <= watch.most <= 4
