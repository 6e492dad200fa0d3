"""All functions of the language, by name; the reference page is made from this table.

A function lives in the file of its theme; to add one, write it there. The operators and the macros
(`all exists exists_one filter map`) are part of the language itself.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from workflows.expressions import (
    functions_convert,
    functions_lists,
    functions_semver,
    functions_text,
    functions_time,
    functions_values,
)
from workflows.expressions.registry import Function

__all__ = ["FUNCTIONS", "THEMES", "Function"]

#: Heading of the reference page -> its functions.
THEMES: Final[Mapping[str, Mapping[str, Function]]] = MappingProxyType(
    {
        "Absent and empty": functions_values.REGISTRY.functions,
        "Text": functions_text.TEXT.functions,
        "Quoting": functions_text.QUOTING.functions,
        "Conversion": functions_convert.REGISTRY.functions,
        "Lists and maps": functions_lists.REGISTRY.functions,
        "Dates and durations": functions_time.REGISTRY.functions,
        "Versions": functions_semver.REGISTRY.functions,
    }
)

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {name: each for theme in THEMES.values() for name, each in theme.items()}
)
