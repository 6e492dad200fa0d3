"""Activities that a test holds back, and some that misbehave. `place` is a folder of the test's.

They run in worker processes, so files tell what they do and when they may end.
"""

import threading
from pathlib import Path
from typing import Any

from workflows.activities import activity

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


def lines(place: Path, name: str) -> list[str]:
    """Return what was noted in a file so far."""
    path = place / name
    return path.read_text().splitlines() if path.exists() else []
