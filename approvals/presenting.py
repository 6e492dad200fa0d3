"""JSON values as something to read: a tree of what the templates draw, without any markup."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

#: More rows or elements than this are counted, not shown.
MOST_ROWS = 200
#: A list of objects with more keys than this is shown one below the other.
MOST_COLUMNS = 8
#: Elements of a list that are no longer than this stand side by side.
SHORT_TEXT = 40


@dataclass(frozen=True, slots=True)
class Shown:
    """One value to draw.

    `text` has `text`; `pairs` has `rows` of (name, Shown); `list` has `rows` of (Shown,);
    `table` has `columns` and `rows` of one Shown a column; `left_out` counts what is not shown.
    """

    form: Literal["text", "pairs", "list", "table"]
    text: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    left_out: int = 0
    is_long: bool = False  # text of several lines
    is_short: bool = False  # a list of words


def present(value: Any, labels: Mapping[str, str] | None = None) -> Shown:
    """Return what to draw for a JSON value; `labels` are those of a form that it came from."""
    known = labels or {}
    if isinstance(value, Mapping) and value:
        kept = list(value.items())[:MOST_ROWS]
        rows = tuple(
            (known.get(str(name)) or in_words(str(name)), present(part)) for name, part in kept
        )
        return Shown("pairs", rows=rows, left_out=len(value) - len(kept))
    if isinstance(value, list) and value:
        return _present_list(value)
    text = _text(value)
    return Shown("text", text=text, is_long="\n" in text)


def in_words(name: str) -> str:
    """Return a path or key as a heading: 'item.unit_price' is 'Item → unit price'."""
    words = name.replace("_", " ").replace(".", " → ")
    return words[:1].upper() + words[1:]


def _present_list(values: list[Any]) -> Shown:
    kept = values[:MOST_ROWS]
    left_out = len(values) - len(kept)
    columns = _columns(kept)
    if columns:
        rows = tuple(tuple(present(row.get(name)) for name in columns) for row in kept)
        heads = tuple(in_words(name) for name in columns)
        return Shown("table", columns=heads, rows=rows, left_out=left_out)
    parts = [present(row) for row in kept]
    is_short = all(part.form == "text" and len(part.text) <= SHORT_TEXT for part in parts)
    listed = tuple((part,) for part in parts)
    return Shown("list", rows=listed, left_out=left_out, is_short=is_short)


def _columns(values: list[Any]) -> tuple[str, ...]:
    """Return the keys of a list of objects, in the order in which they come up; () for others."""
    if not all(isinstance(row, Mapping) and row for row in values):
        return ()
    names = tuple(dict.fromkeys(name for row in values for name in row))
    return names if len(names) <= MOST_COLUMNS else ()


def _text(value: Any) -> str:
    if value is None or value in ({}, []):
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
