"""How the values of branches become one: the merge table, and the three-way merge around it.

| have | arrives | result |
| --- | --- | --- |
| nothing | anything | that value |
| list | list | concatenation |
| list | scalar | appended |
| scalar | list | the scalar, then the items |
| scalar | scalar | a list of both |
| object | object | merged key by key, by this table |
| object | anything else, or the other way round | the object counts as a scalar |
| anything | nothing | unchanged |

Inputs are never changed; results share structure with them. Both functions take time in
proportion to the size of what they are given, however many contributions there are.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from workflows.absent import ABSENT, Absent
from workflows.context.values import equal


def merge_values(have: Any | Absent, arrives: Any | Absent) -> Any | Absent:
    """Return what the table makes of two values; ABSENT stands for nothing."""
    return _fold([value for value in (have, arrives) if value is not ABSENT])


def merge_contributions(base: Any | Absent, values: Iterable[Any | Absent]) -> Any | Absent:
    """Merge what branches made of `base`, in the order given; only changes count.

    Args:
        base: What stood at the merge path before the split, or ABSENT.
        values: What each branch has there at its end, in definition order, or ABSENT.

    Returns:
        `base` if nobody changed it. Objects are merged key by key, a key that some branch removed
        and none changed is gone. Lists that only grew give `base` and all additions, in order.
        Everything else: the changed values, folded by the table. ABSENT if nothing is left.
    """
    everything = list(values)
    present = [value for value in everything if value is not ABSENT]
    was_removed = base is not ABSENT and len(present) < len(everything)
    return _merge(base, present, was_removed=was_removed)


def lay_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return `below` with all that is in `above`: objects key by key, all else is overwritten."""
    merged = dict(below)
    for key, value in above.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[key] = lay_over(before, value)
        else:
            merged[key] = value
    return merged


def _merge(base: Any | Absent, values: Sequence[Any], *, was_removed: bool) -> Any | Absent:
    changed = values if base is ABSENT else [value for value in values if not equal(value, base)]
    if not changed:
        return ABSENT if was_removed else base
    if isinstance(base, dict) and all(isinstance(value, dict) for value in changed):
        return _merge_objects(base, changed)
    if isinstance(base, list) and all(_grew_from(base, value) for value in changed):
        return base + [item for value in changed for item in value[len(base) :]]
    return _fold(changed)


def _merge_objects(base: dict[str, Any], values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    # Collected key by key in one pass: asking each of 10,000 objects for every key of all the
    # others would be quadratic.
    collected: dict[str, list[Any]] = {key: [] for key in base}
    for value in values:
        for key, item in value.items():
            collected.setdefault(key, []).append(item)
    merged: dict[str, Any] = {}
    for key, items in collected.items():
        before = base.get(key, ABSENT)
        was_removed = before is not ABSENT and len(items) < len(values)
        result = _merge(before, items, was_removed=was_removed)
        if result is not ABSENT:
            merged[key] = result
    return merged


def _grew_from(base: list[Any], value: Any) -> bool:
    return isinstance(value, list) and len(value) >= len(base) and equal(value[: len(base)], base)


def _fold(values: Sequence[Any]) -> Any | Absent:
    """Fold by the table in one pass: objects as long as there are only objects, then a list."""
    if len(values) < 2:
        return values[0] if values else ABSENT
    objects = 0
    while objects < len(values) and isinstance(values[objects], dict):
        objects += 1
    if objects == len(values):
        return _fold_objects(values)
    items: list[Any] = [_fold_objects(values[:objects])] if objects else []
    for value in values[objects:]:
        if isinstance(value, list):
            items.extend(value)
        else:
            items.append(value)
    return items


def _fold_objects(values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if len(values) == 1:
        return values[0]
    collected: dict[str, list[Any]] = {}
    for value in values:
        for key, item in value.items():
            collected.setdefault(key, []).append(item)
    return {key: _fold(items) for key, items in collected.items()}
