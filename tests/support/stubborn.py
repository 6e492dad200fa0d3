"""Activities that a test holds back, and some that misbehave. `place` is a folder of the test's.

They run in worker processes, so files tell what they do and when they may end.
"""

import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from workflows.activities import ActivityContext, activity

_LOOK = 0.02  # seconds between two looks at a file


def _note(place: str, name: str, line: object) -> None:
    with (Path(place) / name).open("a") as file:
        file.write(f"{line}\n")


def _wait_for(path: Path) -> None:
    while not path.exists():
        threading.Event().wait(_LOOK)


@activity("stubborn.hold")
def hold(place: str, name: str, value: Any = None) -> Any:
    """Note `name` in the file `started`; return `value` once the file `name` is there."""
    _note(place, "started", name)
    _wait_for(Path(place) / name)
    return value


@activity("stubborn.note")
def note(place: str, name: str, value: Any = None, seconds: float = 0) -> Any:
    """Note in the file `name` that it was called, take a while, and return `value`."""
    _note(place, name, value)
    threading.Event().wait(seconds)
    return value


@activity("stubborn.silent", heartbeat=timedelta(seconds=1))
def silent(place: str, context: ActivityContext) -> int:
    """Beat for a while and then no more, in the first attempt."""
    _note(place, "started", f"{context.attempt} {monotonic()}")
    for _ in range(10):
        context.heartbeat()
        threading.Event().wait(0.15)
    _note(place, "silent", monotonic())
    if context.attempt == 1:
        threading.Event().wait(60)
    return context.attempt


@activity("stubborn.deaf", heartbeat=timedelta(seconds=1))
def deaf(place: str, context: ActivityContext) -> int:
    """Pass over everything that would end its first attempt, and answer late."""
    _note(place, "started", context.attempt)
    while context.attempt == 1 and not (Path(place) / "go").exists():
        with suppress(BaseException):
            _wait_for(Path(place) / "go")
    if context.attempt == 1:
        _note(place, "late", context.attempt)
    return context.attempt


@activity("stubborn.locked", heartbeat=timedelta(seconds=1))
def locked(place: str, context: ActivityContext) -> int:
    """Wait for a lock that nobody frees, while another thread beats for ever, in attempt 1."""
    _note(place, "started", f"{context.attempt} {monotonic()}")
    if context.attempt == 1:
        threading.Thread(target=_beat_for_ever, args=(context,), daemon=True).start()
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
    return context.attempt


def _beat_for_ever(context: ActivityContext) -> None:
    while True:
        context.heartbeat()
        threading.Event().wait(0.05)


def lines(place: Path, name: str) -> list[str]:
    """Return what was noted in a file so far."""
    path = place / name
    return path.read_text().splitlines() if path.exists() else []
