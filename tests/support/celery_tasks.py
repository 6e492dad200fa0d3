"""Ordinary Celery tasks, as any project has them: they know nothing of workflows."""

import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.app.task import Task
from celery.exceptions import Ignore


@shared_task(name="shop.add")
def add(one: int, other: int, *, times: int = 1) -> int:
    return (one + other) * times


@shared_task(name="shop.echo")
def echo(value: Any = None) -> Any:
    return value


@shared_task(name="shop.refuse")
def refuse(text: str = "out of stock") -> None:
    raise ValueError(text)


@shared_task(name="shop.moment")
def moment() -> Any:
    """Return what JSON has no word for, though Celery's own JSON does."""
    return {"at": datetime(2030, 1, 1, tzinfo=UTC)}


@shared_task(name="shop.unspeakable")
def unspeakable() -> Any:
    return {1, 2}


@shared_task(name="shop.quiet")
def quiet() -> None:
    """End without an answer."""
    raise Ignore


@shared_task(name="shop.own_retry", bind=True, max_retries=3)
def own_retry(self: "Task[..., Any]") -> int:
    """Fail twice in Celery's own way."""
    if self.request.retries < 2:
        raise self.retry(countdown=0)
    return int(self.request.retries)


@shared_task(name="shop.leave")
def leave() -> None:
    raise SystemExit(3)


@shared_task(name="shop.die_once")
def die_once(mark: str) -> str:
    """Kill the process that runs it, the first time; leave a line for each time."""
    with Path(mark).open("a") as file:
        file.write("x\n")
    if len(Path(mark).read_text().splitlines()) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


@shared_task(name="shop.wait_for")
def wait_for(mark: str) -> str:
    """Take long: until the file is there."""
    pause = threading.Event()
    while not Path(mark).exists():
        pause.wait(0.02)
    return "seen"


@shared_task(name="shop.hang_once")
def hang_once(mark: str) -> str:
    """Never end, the first time."""
    with Path(mark).open("a") as file:
        file.write("x\n")
    if len(Path(mark).read_text().splitlines()) == 1:
        threading.Event().wait(600)
    return "second"


class Stop(BaseException):
    """What a library of its own sort ends a task with."""


@shared_task(name="shop.odd")
def odd(how: str) -> Any:
    """Raise what Celery lets through, or answer what its JSON stumbles over."""
    if how == "own":
        raise Stop("enough")
    if how == "digits":
        return 10**5000
    answer: list[Any] = []
    for _ in range(3000):
        answer = [answer]
    return answer
