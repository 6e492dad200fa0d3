"""`make demo` as a person runs it: its own processes, the embedded servers, one report."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.dependency_review import demo, demo_begin
from tests.support.site_packages import SitePackages, sample_environment

EXPECTED = Path(demo.__file__).with_name("expected_report.json")
#: What would point the demo at the servers of these tests.
ELSEWHERE = ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "CELERIAC_DISPATCHER")


def run_demo(var: Path, site: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    command = [sys.executable, "-m", "examples.dependency_review.demo", "--site", str(site)]
    return subprocess.run(
        command,
        cwd=demo_begin.ROOT,
        env={**kept, "CELERIAC_VAR": str(var), "DJANGO_SETTINGS_MODULE": "project.settings"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.workers
def test_the_demo_reviews_and_the_next_one_finds_a_changed_byte(tmp_path: Path) -> None:
    var, site = tmp_path / "var", tmp_path / "site"
    sample_environment(site)
    done = run_demo(var, site)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (var / "demo" / "report.json").read_text()
    assert text.replace(str(site.resolve()), "ENVIRONMENT") == EXPECTED.read_text()
    for words in ["slices 1/1", "packages 10/10", "approvals open", "The review rejected"]:
        assert words in done.stdout

    other = SitePackages(tmp_path / "other")
    other.add("good", expression="MIT").tamper("good/__init__.py")
    again = run_demo(var, other.path)
    assert again.returncode == 0, again.stdout + again.stderr
    report = json.loads((var / "demo" / "report.json").read_text())
    assert report["flagged"]["integrity"][0]["mismatched"] == ["good/__init__.py"]
    assert [(each["decision"], each["by"]) for each in report["decisions"]] == [("rejected", "sam")]
    assert "good/__init__.py" in again.stdout


def test_a_folder_that_is_not_there_is_one_line_and_code_2(tmp_path: Path) -> None:
    done = run_demo(tmp_path / "var", tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"demo: There is no folder {tmp_path / 'nowhere'}")
    assert not (tmp_path / "var").exists()
