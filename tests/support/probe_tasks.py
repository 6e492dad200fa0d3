"""Tasks that only the tests of the servers run: a chord whose end leaves a mark in Redis."""

from celery import shared_task
from django.conf import settings
from redis import Redis

MARK = "probe-chord"


@shared_task(name="probe.part", ignore_result=True)
def part(number: int) -> int:
    return number


@shared_task(name="probe.body", ignore_result=True)
def body(mark: str) -> None:
    with Redis.from_url(settings.REDIS.client_url) as client:
        client.rpush(MARK, mark)
