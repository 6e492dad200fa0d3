"""The same workflows on RabbitMQ: quorum queues, and slots that send themselves again."""

import json
from collections.abc import Iterator

import pytest
import redis
from pytest_django import Settings

from tests.support import activities
from tests.support.assertions import assert_completed, assert_failed
from tests.support.builder import celery_task, end, workflow
from tests.support.mini import MiniSet
from tests.support.waiting import wait_for
from tests.support.workers import Workers, workers_on
from workflows import services
from workflows.models import Run, Slot, ThreadGroup

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.rabbitmq,
]


@pytest.fixture
def on_rabbitmq(
    rabbitmq_url: str, redis_client: redis.Redis, settings: Settings, transactional_db: None
) -> Iterator[Workers]:
    """Workers and a beat on RabbitMQ. This process sends nothing: the sweeper finds its rows."""
    settings.CELERIAC = {**settings.CELERIAC, "DISPATCHER": "inline", "MESSAGE_SECONDS": 0.0}
    with workers_on(broker_url=rabbitmq_url, CELERIAC_MESSAGE_SECONDS="2") as started:
        started.start(include=activities.__name__)
        started.start_beat()
        yield started


def test_a_task_of_another_code_base_comes_back_over_its_own_sort_of_queue(
    on_rabbitmq: Workers, rabbitmq_url: str
) -> None:
    """Its queue is a classic one, ours are quorum queues: neither side declares the other's."""
    on_rabbitmq.start_foreign("foreign", rabbitmq_url)
    runs = {}
    for task in ("foreign.add", "foreign.refuse"):
        args = [1, 2] if task == "foreign.add" else []
        name = task.partition(".")[2]
        definition = workflow(name, celery_task("call", task, args=args, queue="foreign"), end())
        services.publish(json.dumps(definition))
        runs[name] = services.start(name).run
    wait_for(lambda: not Run.objects.filter(ended_at__isnull=True).exists())
    assert_completed(runs["add"], {"output": 3})
    assert_failed(runs["refuse"], "task_failed", "call")


def test_everything_ends_on_rabbitmq_with_slots_sent_again_under_their_id(
    on_rabbitmq: Workers,
) -> None:
    mini = MiniSet()
    mini.begin()
    mini.finish()
    slow = ThreadGroup.objects.get(run=mini.runs["slow"])
    hops = list(Slot.objects.filter(group=slow).values_list("hop", "runs"))
    assert max(hop for hop, _ in hops) > 0, hops
    # Each hop was executed once: the same part went on, no copy of it.
    assert all(runs == hop + 1 for hop, runs in hops), hops
