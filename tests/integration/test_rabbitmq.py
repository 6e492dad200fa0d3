"""The same workflows on RabbitMQ: quorum queues, and slots that send themselves again."""

from collections.abc import Iterator

import pytest
import redis
from pytest_django import Settings

from tests.support import activities
from tests.support.mini import MiniSet
from tests.support.workers import Workers, workers_on
from workflows.models import Slot, ThreadGroup

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
