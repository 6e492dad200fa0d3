"""Puts the report of a review together. The same findings always give the same report."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from examples.dependency_review.distributions import Unreadable
from examples.dependency_review.inspection import Inspection


class LicenceFlag(TypedDict):
    """One distribution whose licence needs a decision; reason: unknown, denied, not_allowed."""

    name: str
    version: str
    licence: str
    reason: str


class IntegrityFlag(TypedDict):
    """One distribution whose files are not as installed; `record`: it has a RECORD."""

    name: str
    version: str
    missing: list[str]
    mismatched: list[str]
    record: bool


class Flagged(TypedDict):
    """The distributions that need a decision."""

    licence: list[LicenceFlag]
    integrity: list[IntegrityFlag]


class Decision(TypedDict):
    """What one person answered; `about` is a licence text or `integrity`."""

    group: str
    about: str
    decision: str
    packages: list[str]
    by: str


class Report(TypedDict):
    """The outcome of a review; `licences` counts packages by licence text, lists are sorted."""

    environment: str
    packages: int
    files: int
    bytes: int
    native: int
    licences: dict[str, int]
    unreadable: list[Unreadable]
    flagged: Flagged
    decisions: list[Decision]
    accepted: bool


def build_report(
    environment: str,
    inspected: Sequence[Inspection],
    *,
    unreadable: Sequence[Unreadable],
    licence: Sequence[LicenceFlag],
    integrity: Sequence[IntegrityFlag],
    decisions: Sequence[Decision],
) -> Report:
    """Return the report: accepted when no decision is a rejection."""
    return {
        "environment": environment,
        "packages": len(inspected),
        "files": sum(found["files"] for found in inspected),
        "bytes": sum(found["bytes"] for found in inspected),
        "native": sum(found["native"] for found in inspected),
        "licences": dict(sorted(Counter(found["licence"] for found in inspected).items())),
        "unreadable": sorted(unreadable, key=lambda each: (each["folder"], each["reason"])),
        "flagged": {
            "licence": sorted(licence, key=_by_package),
            "integrity": sorted(integrity, key=_by_package),
        },
        "decisions": [_with_sorted_packages(each) for each in sorted(decisions, key=_by_question)],
        "accepted": all(each["decision"] != "rejected" for each in decisions),
    }


def as_text(report: Any) -> str:
    """Return the report as the text of a file: equal reports are equal byte for byte."""
    return json.dumps(report, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def _by_package(flag: LicenceFlag | IntegrityFlag) -> tuple[str, str]:
    return flag["name"], flag["version"]


def _by_question(decision: Decision) -> tuple[str, str]:
    return decision["group"], decision["about"]


def _with_sorted_packages(decision: Decision) -> Decision:
    return {**decision, "packages": sorted(decision["packages"])}
