"""What a verb answers: JSON for programs, a drawing for people, an exit code for scripts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from workflows import clock

OK, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130

_STYLES = {
    "completed": "green",
    "approved": "green",
    "ok": "green",
    "allowed": "green",
    "blocked": "bold red",
    "running": "cyan",
    "suspended": "yellow",
    "warn": "yellow",
    "warning": "yellow",
    "failed": "bold red",
    "lost": "bold red",
    "fail": "bold red",
    "error": "bold red",
    "invalid": "bold red",
    "cancelled": "magenta",
    "pending": "dim",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a verb; `refusal` is said on standard error when it is not empty.

    `lines` are written instead as they come, one JSON object each, with the exit code that each
    asks for: the highest counts.
    """

    data: Mapping[str, Any]
    draw: Callable[[Console], None]
    code: int = OK
    refusal: str = ""
    lines: Iterable[tuple[Mapping[str, Any], int]] | None = None


def plain(text: object) -> str:
    """Return text without what could steer a terminal: data may come from anybody."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in str(text))


def status_text(status: str) -> Text:
    """Return a status in its colour."""
    return Text(plain(status), style=_STYLES.get(status, ""))


def when(moment: datetime | None) -> str:
    """Return a moment for people, in UTC."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def ago(moment: datetime | None) -> str:
    """Return how long ago a moment was, in its largest unit: '3 min'."""
    if moment is None:
        return ""
    seconds = max(0, int((clock.now() - moment).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def table(*columns: str) -> Table:
    """Return an empty table in the one style of all verbs."""
    made = Table(
        box=None, pad_edge=False, header_style="bold", show_edge=False, padding=(0, 2, 0, 0)
    )
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def row(*cells: object) -> list[Text]:
    """Return cells for a table: nothing in data is taken for markup."""
    return [cell if isinstance(cell, Text) else Text(plain(cell)) for cell in cells]


def say(console: Console, *parts: object) -> None:
    """Write one line; long ones are left to the terminal to wrap."""
    line = Text()
    for part in parts:
        line.append_text(part if isinstance(part, Text) else Text(plain(part)))
    console.print(line, soft_wrap=True)


def counted(count: int, noun: str) -> str:
    """Return '1 file' or '3 files'."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
