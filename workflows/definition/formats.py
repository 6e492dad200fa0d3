"""Formats of an app's own, for `format: name` in the schemas of its workflows.

JSON Schema says what a value looks like; a format can say more, for example that a folder is there,
before a run is started with it.
"""

from collections.abc import Callable
from typing import Any

from workflows.definition.schema_keywords import FORMATS, FormatRefusedError


def register_format(name: str, why_not: Callable[[str], str | None]) -> None:
    """Check texts with `format: name` by `why_not`, which returns what is wrong, or None.

    Call it in the `ready` of an app. The check runs wherever a run is started, so it must be quick
    and must not change anything.
    """

    def check(value: Any) -> bool:
        problem = why_not(value) if isinstance(value, str) else None
        if problem is not None:
            raise FormatRefusedError(problem)
        return True

    FORMATS.checks(name, FormatRefusedError)(check)
