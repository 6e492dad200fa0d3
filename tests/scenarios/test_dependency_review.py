"""The dependency review from end to end on the engine: Alice starts it, Lena and Sam decide."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from approvals.models import ApprovalRequest
from approvals.services import decide
from examples.dependency_review import demo_people, workflow_activities
from examples.dependency_review.inspection import inspect_distribution
from examples.dependency_review.report import as_text
from tests.support.site_packages import SitePackages, sample_environment
from workflows.errors import InputRefusedError, PermissionRefusedError
from workflows.models import Run, Thread, ThreadGroup
from workflows.testing.harness import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

EXAMPLE = Path(demo_people.__file__).parent
NAME = "dependency-review"


@pytest.fixture
def engine() -> Iterator[Harness]:
    with Harness.open() as harness:
        yield harness


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    """Lena is in legal, Sam in security; Alice, who starts the runs, is in both."""
    for group, names in {"legal": ["lena", "alice"], "security": ["sam", "alice"]}.items():
        made = Group.objects.create(name=group)
        for name in names:
            User.objects.get_or_create(username=name)[0].groups.add(made)


@pytest.fixture
def site(tmp_path: Path) -> SitePackages:
    return SitePackages(tmp_path / "site-packages")


def person(name: str) -> User:
    return User.objects.get(username=name)


def start(engine: Harness, site: SitePackages, **data: Any) -> Run:
    engine.publish((EXAMPLE / "workflow.yaml").read_text())
    return engine.start(NAME, {"environment": str(site.path), **data}, by=person("alice"))


def settle(engine: Harness, run: Run) -> Run:
    engine.drain()
    while (waiting := engine.result(run)).ended_at is None and engine.next_due() is not None:
        engine.jump(seconds=1)
    return engine.result(waiting)


def questions() -> dict[str, ApprovalRequest]:
    """Return the open approval requests by what they are about."""
    found = {}
    for request in ApprovalRequest.objects.filter(status="open"):
        about = request.shown.get("question", {"licence": "integrity"})["licence"]
        found[about] = request
    return found


def answer(name: str, request: ApprovalRequest) -> None:
    """Answer as the person of that name does in the demo."""
    rules = {"lena": demo_people.answer_of_legal, "sam": demo_people.answer_of_security}
    given = rules[name]({"shown": request.shown})
    form = dict(given.form)
    decide(request.pk, user=person(name), decision=given.decision, form=form)


def answer_all() -> None:
    for about, request in sorted(questions().items()):
        answer("sam" if about == "integrity" else "lena", request)


def reviewed(engine: Harness, site: SitePackages, **data: Any) -> dict[str, Any]:
    """Return the report of a review in which everybody answers at once."""
    run = start(engine, site, **data)
    settle(engine, run)
    answer_all()
    done = settle(engine, run)
    assert (done.status, done.error) == ("completed", None)
    report: dict[str, Any] = done.output
    return report


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_the_report_is_the_expected_one_in_any_order(seed: int | None, tmp_path: Path) -> None:
    with Harness.open(seed) as engine:
        report = reviewed(engine, sample_environment(tmp_path))
    text = as_text(report).replace(str(tmp_path.resolve()), "ENVIRONMENT")
    assert text == (EXAMPLE / "expected_report.json").read_text()


def test_one_question_a_licence_text_and_one_about_files(engine: Harness, tmp_path: Path) -> None:
    run = start(engine, sample_environment(tmp_path))
    assert settle(engine, run).status == "suspended"
    asked = questions()
    assert sorted(asked) == ["AGPL-3.0-or-later", "LGPL-3.0-only", "integrity", "unknown"]
    assert asked["LGPL-3.0-only"].groups == ["legal"]
    assert asked["LGPL-3.0-only"].shown["question"] == {
        "licence": "LGPL-3.0-only",
        "reason": "not_allowed",
        "packages": ["delta", "epsilon"],
    }
    assert asked["integrity"].groups == ["security"]
    findings = asked["integrity"].shown["found.integrity"]
    assert [each["name"] for each in findings] == ["iota", "kappa", "theta"]


def test_nothing_to_ask_is_accepted_at_once(engine: Harness, site: SitePackages) -> None:
    site.add("a", expression="MIT")
    report = reviewed(engine, site)
    assert (report["accepted"], report["decisions"]) == (True, [])
    assert report["flagged"] == {"licence": [], "integrity": []}


def test_security_alone_is_asked_about_a_changed_byte(engine: Harness, site: SitePackages) -> None:
    site.add("a", expression="MIT").tamper("a/__init__.py")
    report = reviewed(engine, site)
    assert report["accepted"] is False
    assert report["decisions"] == [
        {
            "group": "security",
            "about": "integrity",
            "decision": "rejected",
            "packages": ["a"],
            "by": "sam",
        }
    ]
    assert report["flagged"]["integrity"] == [
        {
            "name": "a",
            "version": "1.0",
            "missing": [],
            "mismatched": ["a/__init__.py"],
            "record": True,
        }
    ]


def test_what_everybody_approves_is_accepted(engine: Harness, site: SitePackages) -> None:
    site.add("a", expression="LGPL-2.1-or-later")
    (site.add("b", expression="MIT").folder / "RECORD").unlink()
    report = reviewed(engine, site)
    assert report["accepted"] is True
    assert [(each["about"], each["decision"]) for each in report["decisions"]] == [
        ("LGPL-2.1-or-later", "approved"),
        ("integrity", "approved"),
    ]


def test_slices_of_twenty_in_a_window_of_four(
    engine: Harness, site: SitePackages, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(101):
        site.add(f"package-{number:03}", expression="MIT" if number % 10 else "GPL")
    live: list[int] = []

    def watched(*given: Any, **options: Any) -> Any:
        states = ("ready", "running", "suspended")
        live.append(Thread.objects.filter(group__node="slices", state__in=states).count())
        return inspect_distribution(*given, **options)

    monkeypatch.setattr(workflow_activities, "inspect_distribution", watched)
    run = start(engine, site)
    settle(engine, run)
    assert len(live) == 101
    assert 0 < max(live) <= 4
    group = ThreadGroup.objects.get(run=run, node="slices")
    assert (group.expected, group.parallel, group.queue) == (6, 4, "inspection")
    assert questions()["GPL"].shown["question"]["packages"] == [
        f"package-{number:03}" for number in range(0, 101, 10)
    ]
    answer_all()
    report = settle(engine, run).output
    assert (report["packages"], report["licences"]) == (101, {"GPL": 11, "MIT": 90})


def test_who_started_it_may_not_decide(engine: Harness, tmp_path: Path) -> None:
    """Contract: `not: {requester: true}` (four eyes)."""
    settle(engine, start(engine, sample_environment(tmp_path)))
    for about, request in questions().items():
        with pytest.raises(PermissionRefusedError):
            decide(request.pk, user=person("alice"), decision="reject")
        wrong = "lena" if about == "integrity" else "sam"
        with pytest.raises(PermissionRefusedError):
            decide(request.pk, user=person(wrong), decision="reject")


@pytest.mark.parametrize("form", [{}, {"ticket": "12"}, {"ticket": 12}, {"ticket": "A-1", "x": 1}])
def test_the_form_asks_for_a_ticket_number(
    engine: Harness, tmp_path: Path, form: dict[str, Any]
) -> None:
    settle(engine, start(engine, sample_environment(tmp_path)))
    with pytest.raises(InputRefusedError):
        decide(questions()["unknown"].pk, user=person("lena"), decision="approve", form=form)


def test_the_policy_of_the_input_counts(engine: Harness, site: SitePackages) -> None:
    for name, licence in [("a", "mit"), ("b", "Ours Only"), ("c", "MIT"), ("d", None)]:
        site.add(name, licence=licence)
    policy = {"allowed": ["OURS"], "denied": ["Mit"]}
    report = reviewed(engine, site, policy=policy)
    assert [(each["name"], each["reason"]) for each in report["flagged"]["licence"]] == [
        ("a", "denied"),
        ("c", "denied"),
        ("d", "unknown"),
    ]
    assert [each["about"] for each in report["decisions"]] == ["MIT", "mit", "unknown"]


def test_unreadable_folders_alone_are_a_report(engine: Harness, site: SitePackages) -> None:
    site.add_unreadable("broken-1.dist-info", b"")
    report = reviewed(engine, site)
    assert (report["packages"], report["files"], report["accepted"]) == (0, 0, True)
    assert report["unreadable"] == [
        {"folder": "broken-1.dist-info", "reason": "METADATA has no Name"}
    ]


@pytest.mark.parametrize(
    ("folder", "why"), [("nowhere", "There is no folder"), ("", "No *.dist-info folder is in")]
)
def test_a_folder_that_cannot_be_reviewed_starts_nothing(
    engine: Harness, tmp_path: Path, folder: str, why: str
) -> None:
    with pytest.raises(InputRefusedError) as refused:
        start(engine, SitePackages(tmp_path / folder))
    (problem,) = refused.value.problems
    assert problem.pointer == "/environment"
    assert problem.message.startswith(f"{why} {tmp_path / folder}")
    assert not Run.objects.exists()


def test_a_folder_that_is_gone_when_it_is_listed_fails_the_run_by_name(
    engine: Harness, site: SitePackages
) -> None:
    site.add("a", expression="MIT")
    run = start(engine, site)
    shutil.rmtree(site.path)
    failed = settle(engine, run)
    assert failed.status == "failed"
    assert failed.error["code"] == "environment_not_found"
    assert str(site.path) in failed.error["message"]


@pytest.mark.parametrize(
    "data",
    [
        {"environment": 7},
        {"environment": ""},
        {"enviroment": None},
        {"policy": {"allowed": "MIT"}},
        {"policy": {"allowed": [""]}},
        {"policy": {"forbidden": []}},
    ],
)
def test_an_input_of_another_form_starts_nothing(
    engine: Harness, site: SitePackages, data: dict[str, Any]
) -> None:
    with pytest.raises(InputRefusedError):
        start(engine, site, **data)
    assert not Run.objects.exists()


def test_the_same_start_with_the_same_key_is_one_run(engine: Harness, site: SitePackages) -> None:
    engine.publish((EXAMPLE / "workflow.yaml").read_text())
    site.add("a", expression="MIT")
    given = {"environment": str(site.path)}
    runs = {engine.start(NAME, given, key="k", by=person("alice")).pk for _ in range(2)}
    assert len(runs) == 1


def test_a_parked_review_goes_on_with_its_own_version(engine: Harness, tmp_path: Path) -> None:
    run = start(engine, sample_environment(tmp_path))
    settle(engine, run)
    engine.lose_messages()
    text = (EXAMPLE / "workflow.yaml").read_text()
    newer = engine.publish(text.replace("about: integrity", "about: files"))
    assert newer.is_new
    engine.jump(hours=100)
    answer_all()
    report = settle(engine, run).output
    assert "integrity" in {each["about"] for each in report["decisions"]}


def test_nothing_of_the_report_depends_on_who_runs_it(engine: Harness, tmp_path: Path) -> None:
    site = sample_environment(tmp_path)
    first = as_text(reviewed(engine, site))
    with Harness.open(seed=7) as other:
        assert as_text(reviewed(other, site)) == first
    assert json.loads(first)["packages"] == 10
