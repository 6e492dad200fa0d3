"""Without a broker, a throttled queue is waited for: the process neither spins nor piles up."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db.models import Max, Min
from django.test import override_settings

from project.processes import Child
from tests.support import (
    activities,  # noqa: F401 - registers them
    places,
)
from tests.support.assertions import assert_completed, assert_each_step_once, seconds_of
from tests.support.builder import activity, batch, each, edit, end, workflow
from tests.support.waiting import wait_for
from tests.support.workers import live_database_url
from workflows import services
from workflows.dispatch.inline import Mailbox, Message, use_mailbox
from workflows.models import Run
from workflows.services.pump import Pump
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

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


def inline_with(**limits: Any) -> Any:
    """Settings as the project makes them where there is no broker."""
    own = {"DISPATCHER": "inline", "MESSAGE_SECONDS": 0.0, "QUEUES": {"slow": limits}}
    return override_settings(CELERIAC={**django_settings.CELERIAC, **own})


class ImpatientMailbox(Mailbox):
    """Fails the test that asks it without an end."""

    looks = 0

    def take(self) -> Message | None:
        self.looks += 1
        assert self.looks < 1000, "it spins"
        return super().take()


@pytest.fixture
def throttled() -> Iterator[Pump]:
    with inline_with(rate="1/h", burst=1), use_mailbox(ImpatientMailbox()) as box:
        yield Pump(box)


@pytest.mark.parametrize("definition", [LONE, PARTS, SLICES], ids=["runs", "messages", "slots"])
def test_work_that_is_held_up_ends_the_round(throttled: Pump, definition: dict[str, Any]) -> None:
    services.publish(json.dumps(definition))
    for _ in range(5):
        services.start(definition["workflow"], {"items": [1, 2, 3]})
    under_way = set()
    for _ in range(20):
        throttled.drain()
        under_way.add(len(throttled.later) + len(throttled.box.messages))
    assert 0 < max(under_way) <= 10
    assert Run.objects.filter(ended_at__isnull=True).count() >= 4


@pytest.mark.parametrize("definition", [PARTS, SLICES], ids=["messages", "slots"])
def test_virtual_time_goes_on_to_the_next_token(definition: dict[str, Any]) -> None:
    with inline_with(rate="2/s", burst=1), Harness.open() as engine:
        engine.publish(definition)
        run = engine.run(definition["workflow"], {"items": [1, 2, 3, 4, 5, 6, 7]})
    assert_completed(run)
    assert seconds_of(run) == 3


def test_the_process_without_a_broker_keeps_the_rate() -> None:
    """Twenty steps at ten a second, by the process that `make up` starts where no Redis is."""
    with inline_with(rate="10/s", burst=1):
        services.publish(json.dumps(LONE))
        runs = [services.start("lone").run for _ in range(20)]
    environment = {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": live_database_url(),
        "CELERIAC_VAR": str(places.VAR),
        "CELERIAC_DISPATCHER": "inline",
        "CELERIAC_MESSAGE_SECONDS": "0",
        "CELERIAC_QUEUES": '{"slow": {"rate": "10/s", "burst": 1}}',
    }
    command = (sys.executable, "-c", _WITH_TEST_ACTIVITIES)
    log = places.FOLDER / "inline.log"
    worker = Child("inline", command, log, Path(django_settings.BASE_DIR), environment)
    worker.start()
    try:
        wait_for(lambda: not Run.objects.filter(ended_at__isnull=True).exists(), seconds=30)
    finally:
        worker.stop()
    for run in runs:
        assert_completed(run)
        assert_each_step_once(run)
    ended = Run.objects.aggregate(first=Min("ended_at"), last=Max("ended_at"))
    seconds = (ended["last"] - ended["first"]).total_seconds()
    assert 1.8 <= seconds <= 4, seconds


_WITH_TEST_ACTIVITIES = """
import django
django.setup()
import tests.support.activities
from project.inline_beat import main
main()
"""
