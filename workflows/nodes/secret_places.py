"""Where a template names secrets: `{secret: name}`, with a `prefix` or without."""

import re
from collections.abc import Iterator
from typing import Any

from workflows.definition.model import SECRET_NAME

_KEYS = frozenset({"secret", "prefix"})


def secret_places(template: Any, pointer: str = "") -> dict[str, str]:
    """Return JSON pointer -> name of each reference that the author has written.

    What a template is filled with is not looked at: data cannot ask for a secret. The pointers hold
    for the rendered value too, since rendering changes neither keys nor the order of lists.
    """
    return dict(_places(template, pointer))


def secret_problems(template: Any, pointer: str) -> list[tuple[str, str]]:
    """Return what is wrong with references, as `Kind.check` answers it."""
    found = []
    for at, name in _places(template, pointer):
        if not re.fullmatch(SECRET_NAME, name):
            message = f"{name!r} is no name of a secret; it is written out, without `${{}}`."
            found.append((f"{at}/secret", message))
    return found


def _places(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if is_reference(value):
            yield pointer, value["secret"]
            return
        for key, item in value.items():
            step = key.replace("~", "~0").replace("/", "~1")
            yield from _places(item, f"{pointer}/{step}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, f"{pointer}/{index}")


def is_reference(value: Any) -> bool:
    """Tell whether a part of a template stands for a secret's value."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("secret"), str)
        and set(value) <= _KEYS
        and isinstance(value.get("prefix", ""), str)
    )
