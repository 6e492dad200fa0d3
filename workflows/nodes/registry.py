"""Finds the kinds: every module of `nodes/builtin/`, and what installed apps register."""

import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

from workflows.nodes import builtin
from workflows.nodes.base import Kind

_plugins: dict[str, Kind[Any]] = {}
_are_hooks_on: ContextVar[bool] = ContextVar("are_hooks_on", default=True)


def register(kind: type[Kind[Any]]) -> type[Kind[Any]]:
    """Add a plug-in's kind (a class decorator). A name that is taken is refused."""
    if kind.name in _builtin() or kind.name in _plugins:
        message = f"The node kind {kind.name!r} is registered twice."
        raise ValueError(message)
    _plugins[kind.name] = kind()
    return kind


def kinds() -> Mapping[str, Kind[Any]]:
    """Return every known kind by name."""
    return MappingProxyType({**_builtin(), **_plugins})


@contextmanager
def without_plugin_hooks() -> Iterator[None]:
    """Let no plug-in write rows of its own inside the block: a trial knows no people."""
    before = _are_hooks_on.set(False)
    try:
        yield
    finally:
        _are_hooks_on.reset(before)


def are_plugin_hooks_on() -> bool:
    """Tell whether `on_suspended` and `on_closed` of kinds are to be called."""
    return _are_hooks_on.get()


@cache
def _builtin() -> dict[str, Kind[Any]]:
    found: dict[str, Kind[Any]] = {}
    for info in pkgutil.iter_modules(builtin.__path__):
        module = import_module(f"{builtin.__name__}.{info.name}")
        for value in vars(module).values():
            is_kind = isinstance(value, type) and issubclass(value, Kind) and value is not Kind
            if is_kind and value.__module__ == module.__name__:
                found[value.name] = value()
    return found
