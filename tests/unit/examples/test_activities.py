"""The activities as the engine calls them: checked input, plain JSON, errors with codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from examples.dependency_review import workflow_activities
from examples.dependency_review.workflow_activities import DEFAULT_POLICY
from tests.support.site_packages import SitePackages, sample_environment
from workflows.activities import ActivityContext, ActivityError, call, registered


class Signs:
    """Counts the signs of life of an activity."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def ask(name: str, given: dict[str, Any], signs: Signs | None = None) -> Any:
    context = ActivityContext("run", "workflow", "node", "thread", 1, "key", signs or Signs())
    return call(registered(f"dependency_review.{name}"), given, context=context)


def test_the_default_policy_is_the_one_of_the_file() -> None:
    assert ask("read_policy", {"policy": None}) == {
        "allowed": [
            "MIT",
            "BSD",
            "Apache",
            "PSF",
            "Python Software Foundation",
            "ISC",
            "MPL",
            "Mozilla",
            "Unlicense",
            "Public Domain",
            "HPND",
            "Zlib",
        ],
        "denied": ["AGPL", "Affero"],
    }


@pytest.mark.parametrize("given", [{"denied": ["GPL"]}, {"allowed": []}, {}])
def test_a_list_that_is_left_out_is_the_default_ones(given: dict[str, list[str]]) -> None:
    default = json.loads(DEFAULT_POLICY.read_text())
    assert ask("read_policy", {"policy": given}) == {**default, **given}


@pytest.mark.parametrize("given", [{"denies": []}, {"denied": "GPL"}, {"denied": [1]}, []])
def test_a_policy_of_another_form_is_refused(given: Any) -> None:
    with pytest.raises(ActivityError) as refusal:
        ask("read_policy", {"policy": given})
    assert refusal.value.failure == "activity_input"


def test_a_folder_that_cannot_be_reviewed_fails_for_good(tmp_path: Path) -> None:
    for path, code in [("nowhere", "environment_not_found"), ("", "environment_empty")]:
        with pytest.raises(ActivityError) as refusal:
            ask("list_distributions", {"environment": str(tmp_path / path)})
        assert refusal.value.failure == code
        assert str(tmp_path / path) in refusal.value.message
        assert not refusal.value.retryable


def test_a_slice_is_inspected_in_its_order(tmp_path: Path) -> None:
    sample_environment(tmp_path)
    listing = ask("list_distributions", {"environment": str(tmp_path)})
    packages = listing["packages"][3:6][::-1]
    found = ask("inspect", {"environment": listing["environment"], "packages": packages})
    assert [each["name"] for each in found] == [package["name"] for package in packages]
    assert json.loads(json.dumps(found)) == found


def test_a_folder_that_changes_may_be_tried_again(tmp_path: Path) -> None:
    folder = SitePackages(tmp_path).add("a").folder
    listing = ask("list_distributions", {"environment": str(tmp_path)})
    (folder / "METADATA").unlink()
    del listing["unreadable"]
    with pytest.raises(ActivityError, match=r"a-1\.0\.dist-info changed") as failure:
        ask("inspect", listing)
    assert failure.value.failure == "environment_changed"
    assert failure.value.retryable


def test_long_work_gives_signs_of_life_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"a/{number}.py": b"x" for number in range(10)}
    SitePackages(tmp_path).add("a", files=files)
    listing = ask("list_distributions", {"environment": str(tmp_path)})
    del listing["unreadable"]
    signs, ticks = Signs(), iter(range(1000))
    monkeypatch.setattr(workflow_activities, "monotonic", lambda: next(ticks) * 0.3)
    ask("inspect", listing, signs)
    assert 0 < signs.count < len(files)


def test_the_report_is_built_from_plain_json(tmp_path: Path) -> None:
    site = sample_environment(tmp_path)
    listing = ask("list_distributions", {"environment": str(site.path)})
    where = {"environment": listing["environment"]}
    inspected = ask("inspect", {**where, "packages": listing["packages"]})
    rest: dict[str, Any] = {"licence": [], "integrity": [], "decisions": []}
    unreadable = listing["unreadable"]
    report = ask(
        "build_report", {**where, "inspected": inspected, "unreadable": unreadable, **rest}
    )
    assert (report["packages"], report["native"], report["accepted"]) == (10, 1, True)
    assert [each["folder"] for each in report["unreadable"]] == [
        "broken-1.0.dist-info",
        "empty-1.0.dist-info",
    ]
