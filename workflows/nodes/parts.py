"""The parts of a split: what each of its threads starts with, and how they are kept as JSON.

A part's context is made when a worker takes the thread, from the one stored context of the group,
so that 10,000 threads of one map keep one copy of it.
"""

from dataclasses import asdict
from typing import Any

from workflows.context.paths import assign, read
from workflows.errors import PathError
from workflows.nodes.outcomes import Branches, Items, JSONObject, Racers, Slices

Parts = Branches | Racers | Slices | Items

_NAMES: dict[str, type[Parts]] = {
    "branches": Branches,
    "racers": Racers,
    "slices": Slices,
    "items": Items,
}


def part_count(parts: Parts) -> int:
    """Return how many threads the split has."""
    return len(parts.starts) if isinstance(parts, Branches | Racers) else parts.count


def part_start(parts: Parts, index: int) -> str:
    """Return the id of the node where thread `index` starts."""
    return parts.starts[index] if isinstance(parts, Branches | Racers) else parts.start


def part_name(parts: Parts, index: int) -> JSONObject:
    """Return what tells people which part it is: the name of a branch, or an index."""
    if isinstance(parts, Branches | Racers):
        return {"name": parts.names[index]}
    return {"index": index}


def part_context(parts: Parts, base: JSONObject, index: int) -> JSONObject:
    """Return the context with which thread `index` starts; `base` is shared, never changed.

    Raises:
        PathError: `base` has no list where the split found one; it is not the split's context.
    """
    if isinstance(parts, Branches | Racers):
        return base
    rows = _rows(base, parts.items)
    if isinstance(parts, Items):
        return {**base, parts.name: rows[index], "index": index}
    return _slice_context(parts, base, index, rows=rows)


def _slice_context(parts: Slices, base: JSONObject, index: int, *, rows: list[Any]) -> JSONObject:
    start = index * parts.size
    part = rows[start : start + parts.size] if parts.size else rows
    # `end` is past the last item, as in a Python slice: end - start is the length.
    batch = {
        "index": index,
        "count": parts.count,
        "start": start,
        "end": start + len(part),
        "total": len(rows),
    }
    return {**assign(base, parts.items, part), "batch": batch}


def _rows(base: JSONObject, path: str) -> list[Any]:
    rows = read(base, path)
    if isinstance(rows, list):
        return rows
    message = f"The context of this group has no list at {path!r}: it is not the split's own."
    raise PathError(message)


def parts_to_json(parts: Parts) -> JSONObject:
    """Return the parts as a JSON object; `parts_from_json` reads it back."""
    kept = asdict(parts)
    if isinstance(parts, Branches | Racers):
        kept = {"names": list(parts.names), "starts": list(parts.starts)}
    name = next(name for name, cls in _NAMES.items() if isinstance(parts, cls))
    return {"parts": name, **kept}


def parts_from_json(kept: JSONObject) -> Parts:
    """Return the parts that `parts_to_json` made this object of."""
    fields = {name: value for name, value in kept.items() if name != "parts"}
    return _NAMES[kept["parts"]](**fields)
