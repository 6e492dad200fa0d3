"""Semantic versions and npm ranges: the one parser that validates ranges and evaluates them.

A range is what npm knows (`1.2.3`, `^1.2`, `~1.2`, `>=1.2 <2`, `1.x`, `1.2 - 2.3`, `a || b`);
a comma may stand for the space, and interval forms `[1.0,2.0)` are understood as well.
"""

import re
from functools import lru_cache
from typing import Final

from semantic_version import NpmSpec, Version

from workflows.expressions.faults import FaultError
from workflows.expressions.limits import Budget
from workflows.expressions.registry import Registry

REGISTRY: Final = Registry()

_MAX_LENGTH: Final = 200
_UNITS: Final = 60  # what reading a version and a range takes, in units of the budget
_MAX_PARTS: Final = 20
_INTERVAL = re.compile(r"(?P<from>[\[(])(?P<low>[^,]*),(?P<high>[^,]*)(?P<to>[\])])")
_HYPHEN = re.compile(r"\S+\s+-\s+\S+")
_SHORT = re.compile(r"\d+(\.\d+)?", re.ASCII)
_SPACED = re.compile(r"(?<=[<>=^~])\s+")


@REGISTRY.add({"semver('1.4.2', '^1.2')": True, "semver('2.0.0', '[1.0,2.0)')": False})
def semver(budget: Budget, version: str, range_: str) -> bool:
    """Tell whether a version is in an npm range; pre-releases only match ranges that name them."""
    budget.spend(_UNITS)
    return parse_version(version) in parse_range(range_)


@lru_cache(maxsize=1024)
def parse_version(text: str) -> Version:
    """Return a semantic version. Raises FaultError."""
    try:
        return Version(text[: _MAX_LENGTH + 1].strip().removeprefix("v"))
    except ValueError:
        raise FaultError("the text is no semantic version; write it as 1.4.2") from None


@lru_cache(maxsize=1024)
def parse_range(text: str) -> NpmSpec:
    """Return a range. Raises FaultError for what is none of the forms above."""
    fault = FaultError("the text is no version range; write it as ^1.2, ~1.2, 1.x, or >=1.2 <2")
    alternatives = text.split("||")
    if len(text) > _MAX_LENGTH or len(alternatives) > _MAX_PARTS or not text.strip():
        raise fault
    try:
        return NpmSpec(" || ".join(_as_npm(each.strip()) for each in alternatives))
    except ValueError:
        raise fault from None


def _as_npm(part: str) -> str:
    interval = _INTERVAL.fullmatch(part)
    if interval:
        return _interval(interval)
    if _HYPHEN.fullmatch(part):
        return part
    return _SPACED.sub("", " ".join(part.replace(",", " ").split()))


def _interval(match: re.Match[str]) -> str:
    low, high = match["low"].strip(), match["high"].strip()
    bounds = []
    if low:
        bounds.append(f"{'>=' if match['from'] == '[' else '>'}{_full(low)}")
    if high:
        bounds.append(f"{'<=' if match['to'] == ']' else '<'}{_full(high)}")
    return " ".join(bounds) or "*"


def _full(version: str) -> str:
    # In an interval 2.0 is the version 2.0.0; npm would read `<=2.0` as all of 2.0.x.
    return version + ".0" * (2 - version.count(".")) if _SHORT.fullmatch(version) else version
