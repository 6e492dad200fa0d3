"""Two beats send twice as many hints to look; what should move moves once."""

import json

import pytest
import redis

from tests.support import activities
from tests.support.builder import activity, delay, each, end, workflow
from tests.support.waiting import wait_for
from tests.support.workers import Workers
from workflows import services
from workflows.models import NodeExecution, Run, Suspension, Thread

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.redis,
]

ITEMS = list(range(60))
TIMERS = workflow(
    "timers",
    each("m", "pause", next="end"),
    delay("pause", "PT1S"),
    activity("told", "test.double", input={"number": "${item}"}, next=None),
    end(output={"output": "${output}"}),
)


def test_every_timer_fires_once_and_nothing_early(
    quick: Workers, redis_client: redis.Redis
) -> None:
    """Both beats tick all the while, and every message is thrown away once."""
    services.publish(json.dumps(TIMERS))
    quick.start(2, include=activities.__name__)
    for _ in range(2):
        quick.start_beat()
    runs = [services.start("timers", {"items": ITEMS}).run.pk for _ in range(3)]
    wait_for(lambda: Thread.objects.filter(state="suspended").exists())
    redis_client.flushall()
    wait_for(lambda: Run.objects.filter(pk__in=runs, status="completed").count() == len(runs))

    for run in Run.objects.filter(pk__in=runs):
        assert run.output == {"output": [item * 2 for item in ITEMS]}
    waits = Suspension.objects.filter(run__in=runs, kind="timer")
    assert waits.count() == len(runs) * len(ITEMS)
    assert {wait.state for wait in waits} == {"resolved"}
    assert all(wait.over_at and wait.wake_at and wait.over_at >= wait.wake_at for wait in waits)
    for node in ("pause", "told"):
        steps = NodeExecution.objects.filter(run__in=runs, node=node, status="completed")
        assert steps.count() == len(runs) * len(ITEMS)
        assert steps.values("thread").distinct().count() == len(runs) * len(ITEMS)
