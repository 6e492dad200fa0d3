"""What the workers run for the benchmarks: no-op tasks of bare Celery, and a no-op activity."""

from celery import shared_task
from django.conf import settings
from redis import Redis

from workflows.activities import activity

DONE = "benchmark-done"


@shared_task(name="benchmarks.nothing", ignore_result=True)
def nothing(*_args: object) -> None:
    """Do nothing: what one message costs."""


@shared_task(name="benchmarks.last", ignore_result=True)
def last(*_args: object) -> None:
    """Say that a chain or chord is over."""
    with Redis.from_url(settings.REDIS.client_url) as client:
        client.rpush(DONE, "1")


@activity("benchmarks.count")
def count(number: int) -> int:
    """Return the number it is given."""
    return number


@activity("benchmarks.nothing")
def no_work() -> None:
    """Do nothing: what one recorded step costs."""
