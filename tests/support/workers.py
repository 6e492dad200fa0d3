"""Real Celery workers and beats for tests: started, killed, supervised, and always stopped."""

import os
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from project.processes import Child, wait_until
from project.supervisor import Supervisor
from tests.support import places
from tests.support.waiting import wait_for

_CELERY = (sys.executable, "-m", "celery", "-A", "project.celery:app")


def live_database_url() -> str:
    """Return the URL of the database that this test uses, for processes of their own."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(database['HOST'])}"


class Workers:
    """The worker processes of one test, on the test's own database, Redis and broker."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.running: list[Child] = []
        self.supervisor = Supervisor()
        self._is_watching = False
        self._started = 0

    def start(
        self,
        count: int = 1,
        *,
        concurrency: int = 2,
        queues: str = "",
        include: str = "",
        supervised: bool = False,
    ) -> list[Child]:
        """Start `count` prefork workers; return them when their pools are up.

        Args:
            count: worker processes.
            concurrency: pool processes of each.
            queues: names joined by commas; all queues when empty.
            include: a module of further tasks.
            supervised: start a worker again when it dies.
        """
        started = [self._worker(concurrency, queues, include) for _ in range(count)]
        for worker in started:
            self._begin(worker, supervised=supervised)
        for worker in started:
            wait_until(
                lambda worker=worker: len(pool_of(worker)) >= concurrency,  # type: ignore[misc]
                seconds=60,
                child=worker,
            )
        return started

    def start_foreign(self, queue: str, broker: str, prefix: str = "") -> Child:
        """Start a worker of another code base: its app knows neither Django nor our tasks."""
        app = "tests.support.foreign_app"
        variables = {"FOREIGN_BROKER": broker, "FOREIGN_PREFIX": prefix}
        words = ["worker", "--pool", "prefork", "--concurrency", "1", "--queues", queue]
        words += ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        words += ["--hostname", f"foreign{self._started}@tests"]
        worker = self._child("foreign", *words)
        worker.command = (sys.executable, "-m", "celery", "-A", app, *words)
        worker.environment = {"DJANGO_SETTINGS_MODULE": "", **variables}
        self._begin(worker, supervised=False)
        wait_until(lambda: bool(pool_of(worker)), seconds=60, child=worker)
        return worker

    def start_beat(self, *, supervised: bool = False) -> Child:
        """Start a beat with a schedule file of its own."""
        schedule = places.FOLDER / f"beat-{self._started}"
        words = ("beat", "--pidfile", "", "--schedule", str(schedule), "--loglevel", "WARNING")
        beat = self._child("beat", *words)
        self._begin(beat, supervised=supervised)
        return beat

    def kill_pool_process(self, chance: random.Random | None = None) -> int | None:
        """Kill (-9) one pool process of a running worker; return its id, None without one."""
        pool = [pid for worker in self.running if worker.is_running() for pid in pool_of(worker)]
        if not pool:
            return None
        victim = (chance or random).choice(pool)
        _kill(victim)
        return victim

    def strike(self, chance: random.Random) -> str:
        """Kill one of those that run, three times in ten with its whole pool; return whom."""
        wait_for(self._alive, seconds=30)
        if chance.random() < 0.3:
            victim = chance.choice(self._alive())
            victim.kill()
            return victim.name
        wait_for(lambda: self.kill_pool_process(chance), seconds=30)
        return "pool process"

    def stop(self) -> None:
        """Stop everything that was started here."""
        self.supervisor.stop()
        for child in reversed(self.running):
            child.stop(patience=5)

    def _alive(self) -> list[Child]:
        return [child for child in self.running if child.is_running() and "worker" in child.name]

    def _worker(self, concurrency: int, queues: str, include: str) -> Child:
        options = ["--pool", "prefork", "--concurrency", str(concurrency)]
        options += ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
        options += ["--hostname", f"worker{self._started}@tests"]
        options += ["--queues", queues] if queues else []
        options += ["--include", include] if include else []
        return self._child("worker", "worker", *options)

    def _child(self, name: str, *words: str) -> Child:
        label = f"{name}{self._started}"
        self._started += 1
        log = places.FOLDER / f"{label}-{os.getpid()}.log"
        return Child(label, (*_CELERY, *words), log, Path(settings.BASE_DIR), self.environment)

    def _begin(self, child: Child, *, supervised: bool) -> None:
        self.running.append(child)
        if not supervised:
            child.start()
            return
        self.supervisor.start(child)
        if not self._is_watching:
            self.supervisor.watch()
            self._is_watching = True


def pool_of(worker: Child) -> list[int]:
    """Return the ids of the pool processes of `worker`, whichever thread of it forked them."""
    found: list[int] = []
    for listing in Path("/proc", str(worker.pid), "task").glob("*/children"):
        try:
            found += [int(word) for word in listing.read_text().split()]
        except FileNotFoundError:  # the thread has just ended
            continue
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # somebody was faster


def environment_of_processes(**variables: str) -> dict[str, str]:
    """Return what a process of the project needs to use the test's own database and Redis."""
    return {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": live_database_url(),
        "REDIS_URL": places.REDIS_URL,
        "BROKER_URL": "",
        "CELERIAC_VAR": str(places.VAR),
        "CELERIAC_DISPATCHER": "celery",
        **variables,
    }


@contextmanager
def workers_on(*, broker_url: str = "", **variables: str) -> Iterator[Workers]:
    """Give a set of workers on the live test database; everything has stopped afterwards."""
    workers = Workers(environment_of_processes(BROKER_URL=broker_url, **variables))
    try:
        yield workers
    finally:
        workers.stop()
