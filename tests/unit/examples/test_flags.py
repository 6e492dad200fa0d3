"""The rules in CEL, as the workflow has them, against the same rules in Python."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.dependency_review import report
from workflows import services
from workflows.compiler.plan import Plan
from workflows.nodes.base import NodeCall
from workflows.nodes.outcomes import Continue, JSONObject


@pytest.fixture(scope="module")
def plan() -> Plan:
    text = Path(report.__file__).with_name("workflow.yaml").read_text()
    compiled = services.validate(text, source="workflow.yaml")
    assert compiled.warnings == ()
    return compiled.plan


def run_nodes(plan: Plan, context: JSONObject, *names: str) -> JSONObject:
    for name in names:
        node = plan.nodes[name]
        now = datetime(2030, 1, 1, tzinfo=UTC)
        outcome = node.kind.run(NodeCall(node.config, context, node.ports, run={}, now=now))
        assert isinstance(outcome, Continue)
        context = outcome.context
    return context


def flagged(plan: Plan, packages: list[JSONObject], **policy: list[str]) -> JSONObject:
    context = run_nodes(plan, {"policy": policy}, "prepare")
    context["found"]["packages"] = packages
    return run_nodes(plan, context, "flag")


def package(licence: str = "MIT", **findings: Any) -> JSONObject:
    base = {"name": "a", "version": "1", "record": True, "missing": [], "mismatched": []}
    return {**base, "licence": licence, "files": 1, "bytes": 1, "native": False, **findings}


def reason_of(plan: Plan, licence: str, *, allowed: list[str], denied: list[str]) -> str | None:
    flags = flagged(plan, [package(licence)], allowed=allowed, denied=denied)["found"]["licence"]
    return flags[0]["reason"] if flags else None


@pytest.mark.parametrize(
    ("licence", "reason"),
    [
        ("unknown", "unknown"),
        ("Unknown", "not_allowed"),
        ("AGPL-3.0-only", "denied"),
        ("agpl-3.0-only OR mit", "denied"),
        ("GNU AFFERO General Public License", "denied"),
        ("MIT", None),
        ("permission granted by mit, more or less", None),
        ("apache-2.0", None),
        ("GPL-3.0-only", "not_allowed"),
        ("", "not_allowed"),
    ],
)
def test_the_licence_rules_in_their_order(plan: Plan, licence: str, reason: str | None) -> None:
    found = reason_of(plan, licence, allowed=["MIT", "Apache"], denied=["AGPL", "Affero"])
    assert found == reason


def test_unknown_is_asked_before_the_policy(plan: Plan) -> None:
    assert reason_of(plan, "unknown", allowed=["unknown"], denied=["known"]) == "unknown"


def test_denied_is_asked_before_allowed(plan: Plan) -> None:
    assert reason_of(plan, "MIT", allowed=["MIT"], denied=["mit"]) == "denied"


def test_an_empty_policy_allows_nothing(plan: Plan) -> None:
    assert reason_of(plan, "MIT", allowed=[], denied=[]) == "not_allowed"


@pytest.mark.parametrize(
    ("findings", "is_flagged"),
    [
        ({}, False),
        ({"missing": ["x"]}, True),
        ({"mismatched": ["x"]}, True),
        ({"record": False}, True),
        ({"missing": ["x"], "mismatched": ["y"], "record": True}, True),
    ],
)
def test_the_integrity_rule(plan: Plan, *, findings: JSONObject, is_flagged: bool) -> None:
    flags = flagged(plan, [package(**findings)], allowed=["MIT"], denied=[])["found"]["integrity"]
    base = {"name": "a", "version": "1", "missing": [], "mismatched": [], "record": True}
    assert flags == ([{**base, **findings}] if is_flagged else [])


def expected_reason(licence: str, allowed: list[str], denied: list[str]) -> str | None:
    text = licence.lower()
    if licence == "unknown":
        return "unknown"
    if any(word.lower() in text for word in denied):
        return "denied"
    return None if any(word.lower() in text for word in allowed) else "not_allowed"


words = st.lists(st.sampled_from(["MIT", "gpl", "Affero", "BSD", "ß", "İ", "\\", "."]), max_size=4)
licences = st.one_of(
    st.just("unknown"),
    st.lists(st.sampled_from(["mit", "GPL", "AFFERO", "bsd", "ẞ", "i", "\\", " OR "])).map("".join),
)


@given(st.lists(licences, max_size=20), words, words)
def test_the_rules_are_the_same_as_in_python(
    plan: Plan, texts: list[str], allowed: list[str], denied: list[str]
) -> None:
    packages = [package(text, name=f"p{index:02}") for index, text in enumerate(texts)]
    found = flagged(plan, packages, allowed=allowed, denied=denied)["found"]["licence"]
    reasons = [(each, expected_reason(each["licence"], allowed, denied)) for each in packages]
    assert found == [
        {
            "name": each["name"],
            "version": "1",
            "licence": each["licence"],
            "reason": reason,
        }
        for each, reason in reasons
        if reason is not None
    ]


def test_a_slice_of_long_texts_and_a_long_policy_stay_within_the_bounds(plan: Plan) -> None:
    packages = [package(f"Licence number {index}" + "x" * 60) for index in range(20)]
    allowed = [f"word {index}" for index in range(200)]
    found = flagged(plan, packages, allowed=allowed, denied=allowed)["found"]["licence"]
    assert len(found) == 20


def test_questions_are_one_a_text_in_order(plan: Plan) -> None:
    flags = [
        {"name": "a", "version": "1", "licence": "GPL", "reason": "not_allowed"},
        {"name": "b", "version": "1", "licence": "AGPL", "reason": "denied"},
        {"name": "c", "version": "1", "licence": "GPL", "reason": "not_allowed"},
    ]
    context = run_nodes(plan, {"found": {"licence": flags}}, "questions")
    assert context["questions"] == [
        {"licence": "AGPL", "reason": "denied", "packages": ["b"]},
        {"licence": "GPL", "reason": "not_allowed", "packages": ["a", "c"]},
    ]


def test_a_thousand_flagged_packages_stay_within_the_bounds(plan: Plan) -> None:
    flags = [
        {"name": f"p{index}", "version": "1", "licence": f"L{index % 40}", "reason": "not_allowed"}
        for index in range(1000)
    ]
    context = run_nodes(plan, {"found": {"licence": flags}}, "questions")
    assert len(context["questions"]) == 40
