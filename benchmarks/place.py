"""The place of measurement: private servers, two pool processes, and ways to wait for the end."""

import os
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import psycopg
from redis import Redis

from tests.support import places, services
from tests.support.workers import Workers, pool_of

POOL = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where the questions are asked."""

    workers: Workers
    redis: Redis

    def pool(self) -> list[int]:
        """Return the process ids of the pool."""
        return [pid for worker in self.workers.running for pid in pool_of(worker)]

    def memory_peaks(self) -> list[float]:
        """Return the largest resident size that each pool process has had, in MiB."""
        return [_peak(pid) for pid in self.pool()]

    def wait_for_marks(self, count: int, key: str) -> None:
        """Return when bare Celery has said so often that it is done."""
        for _ in range(count):
            if self.redis.blpop([key], timeout=120) is None:
                message = "a Celery peer did not end within 120 s"
                raise TimeoutError(message)


@contextmanager
def open_place() -> Iterator[Place]:
    """Run a durable PostgreSQL, Redis and a worker of two pool processes inside the block."""
    places.point_project_at(places.POSTGRES_URL)
    os.environ["CELERIAC_DISPATCHER"] = "celery"
    os.environ["CELERIAC_CONCURRENCY"] = str(POOL)
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    with services.postgresql(durable=True), services.redis_server():
        _create_database()
        _set_up_django()
        workers = Workers(dict(os.environ))
        try:
            workers.start(1, concurrency=POOL, include="benchmarks.tasks")
            workers.start_beat()
            yield Place(
                workers, Redis(unix_socket_path=str(places.REDIS_SOCKET), socket_timeout=200)
            )
        finally:
            workers.stop()


def _create_database() -> None:
    server = f"host={places.POSTGRES} user=celeriac dbname=postgres"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE celeriac")


def _set_up_django() -> None:
    import django  # noqa: PLC0415 - the environment had to be set first

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from benchmarks import tasks  # noqa: F401, PLC0415 - registers the activities

    call_command("migrate", verbosity=0)


def timed(work: Callable[[], Any]) -> float:
    """Return how many seconds `work` takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Return when the condition holds; looks seldom, as looking takes time from the workers."""
    deadline = monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if monotonic() > deadline:
            message = f"not within {seconds:g} s"
            raise TimeoutError(message)
        pause.wait(0.05)


def _peak(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0
