"""Tasks that only the tests of the servers run: a chord whose end leaves a mark in Redis.

python -m tests.support.probe_tasks MARK     # sends it, with the project's own settings
"""

import sys

from celery import chord
from django.conf import settings
from redis import Redis

from project.celery import app

MARK = "probe-chord"


@app.task(name="probe.part", ignore_result=True)
def part(number: int) -> int:
    return number


@app.task(name="probe.body", ignore_result=True)
def body(mark: str) -> None:
    with Redis.from_url(settings.REDIS.client_url) as client:
        client.rpush(MARK, mark)


def send_chord(mark: str) -> None:
    header = [part.s(number).set(queue="workflows") for number in range(3)]
    chord(header, body.si(mark).set(queue="workflows")).apply_async()


if __name__ == "__main__":
    send_chord(sys.argv[1])
