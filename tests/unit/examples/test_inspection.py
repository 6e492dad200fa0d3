"""One distribution inspected, and the report put together."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.dependency_review.distributions import list_distributions
from examples.dependency_review.inspection import (
    EnvironmentChangedError,
    Inspection,
    inspect_distribution,
)
from examples.dependency_review.report import as_text, build_report
from tests.support.site_packages import SitePackages, sample_environment


def inspect_all(site: SitePackages) -> dict[str, Inspection]:
    listing = list_distributions(str(site.path))
    found = [inspect_distribution(site.path, package) for package in listing["packages"]]
    return {each["name"]: each for each in found}


def test_the_sample_environment_meets_every_rule(tmp_path: Path) -> None:
    found = inspect_all(sample_environment(tmp_path))
    assert {name: each["licence"] for name, each in found.items()} == {
        "alpha-tools": "MIT",
        "beta": "BSD License OR MIT License",
        "delta": "LGPL-3.0-only",
        "epsilon": "LGPL-3.0-only",
        "eta": "MIT",
        "gamma": "AGPL-3.0-or-later",
        "iota": "Zlib",
        "kappa": "HPND",
        "theta": "ISC",
        "zeta": "unknown",
    }
    assert [name for name, each in found.items() if each["native"]] == ["eta"]
    assert [name for name, each in found.items() if not each["record"]] == ["kappa"]
    assert found["theta"]["mismatched"] == ["theta/__init__.py"]
    assert found["iota"]["missing"] == ["iota/__init__.py"]
    assert (found["kappa"]["files"], found["kappa"]["bytes"]) == (0, 0)


def test_a_folder_that_changes_during_the_review_is_named(tmp_path: Path) -> None:
    site = SitePackages(tmp_path)
    site.add("a")
    package = list_distributions(str(tmp_path))["packages"][0]
    (tmp_path / package["folder"] / "METADATA").unlink()
    with pytest.raises(EnvironmentChangedError, match=r"a-1\.0\.dist-info changed .* no METADATA"):
        inspect_distribution(tmp_path, package)


def findings(**changes: Any) -> Inspection:
    base: Inspection = {
        "name": "a",
        "version": "1",
        "licence": "MIT",
        "record": True,
        "missing": [],
        "mismatched": [],
        "files": 2,
        "bytes": 10,
        "native": False,
    }
    return {**base, **changes}  # type: ignore[typeddict-item] # a test's own changes


def decision(about: str, answer: str, packages: list[str]) -> Any:
    group = "security" if about == "integrity" else "legal"
    return {
        "group": group,
        "about": about,
        "decision": answer,
        "packages": packages,
        "by": "someone",
    }


INSPECTED = [
    findings(name="b", licence="MIT", native=True),
    findings(name="a", licence="GPL", files=1, bytes=5),
    findings(name="c", licence="MIT", native=True),
]
LICENCE_FLAGS: list[Any] = [
    {"name": name, "version": version, "licence": "GPL", "reason": "not_allowed"}
    for name, version in [("b", "1"), ("a", "2"), ("a", "10")]
]
INTEGRITY_FLAGS: list[Any] = [
    {"name": name, "version": "1", "missing": [], "mismatched": ["x"], "record": True}
    for name in "ba"
]
DECISIONS = [
    decision("integrity", "approved", ["b", "a"]),
    decision("unknown", "approved", ["z"]),
    decision("GPL", "rejected", ["b", "a"]),
]


def test_the_report_has_exactly_its_fields_sorted() -> None:
    report = build_report(
        "/site",
        INSPECTED,
        unreadable=[{"folder": "y", "reason": "r"}, {"folder": "x", "reason": "r"}],
        licence=LICENCE_FLAGS,
        integrity=INTEGRITY_FLAGS,
        decisions=DECISIONS,
    )
    assert report == {
        "environment": "/site",
        "packages": 3,
        "files": 5,
        "bytes": 25,
        "native": 2,
        "licences": {"GPL": 1, "MIT": 2},
        "unreadable": [{"folder": "x", "reason": "r"}, {"folder": "y", "reason": "r"}],
        "flagged": {
            "licence": [LICENCE_FLAGS[2], LICENCE_FLAGS[1], LICENCE_FLAGS[0]],
            "integrity": [INTEGRITY_FLAGS[1], INTEGRITY_FLAGS[0]],
        },
        "decisions": [
            decision("GPL", "rejected", ["a", "b"]),
            decision("unknown", "approved", ["z"]),
            decision("integrity", "approved", ["a", "b"]),
        ],
        "accepted": False,
    }


@pytest.mark.parametrize(
    ("answers", "is_accepted"),
    [([], True), (["approved"], True), (["approved", "rejected"], False), (["rejected"], False)],
)
def test_a_review_is_accepted_when_no_decision_is_a_rejection(
    *, answers: list[str], is_accepted: bool
) -> None:
    decisions = [decision(f"text {index}", answer, []) for index, answer in enumerate(answers)]
    report = build_report("/site", [], unreadable=[], licence=[], integrity=[], decisions=decisions)
    assert report["accepted"] is is_accepted


@given(st.permutations(INSPECTED), st.permutations(LICENCE_FLAGS), st.permutations(DECISIONS))
def test_the_order_of_arrival_changes_no_byte(
    inspected: list[Any], flags: list[Any], decisions: list[Any]
) -> None:
    def text(*parts: Any) -> str:
        report = build_report(
            "/site",
            parts[0],
            unreadable=[],
            licence=parts[1],
            integrity=INTEGRITY_FLAGS,
            decisions=parts[2],
        )
        return as_text(report)

    assert text(inspected, flags, decisions) == text(INSPECTED, LICENCE_FLAGS, DECISIONS)


def test_the_text_ends_with_a_line_and_keeps_letters() -> None:
    assert as_text({"b": 1, "a": "é"}) == '{\n  "a": "é",\n  "b": 1\n}\n'
