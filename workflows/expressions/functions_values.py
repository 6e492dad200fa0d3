"""Functions about whether there is something at all: they cope with what is absent."""

from typing import Any, Final

from workflows.expressions.faults import AbsentError
from workflows.expressions.registry import Registry, Thunk

REGISTRY: Final = Registry()


@REGISTRY.add(
    {"default({'a': 1}.b, 3)": 3, "default(null, 'none')": "none", "default(0, 5)": 0}, is_lazy=True
)
def default(value: Thunk, fallback: Thunk) -> Any:
    """Return the value, or the fallback when the value is absent or null."""
    try:
        found = value()
    except AbsentError:
        found = None
    return fallback() if found is None else found


@REGISTRY.add(
    {"has({'a': null}.a)": True, "has({'a': 1}.b)": False, "has({'a': 1}.b.c)": False}, is_lazy=True
)
def has(value: Thunk) -> bool:
    """Tell whether there is such a member, element or name; null counts as there."""
    try:
        value()
    except AbsentError:
        return False
    return True


@REGISTRY.add(
    {"empty('')": True, "empty([])": True, "empty({'a': 1}.b)": True, "empty(0)": False},
    is_lazy=True,
)
def empty(value: Thunk) -> bool:
    """Tell whether the value is absent, null, or a text, list or map without anything in it."""
    try:
        found = value()
    except AbsentError:
        return True
    return found is None or (isinstance(found, str | bytes | list | dict) and not found)
