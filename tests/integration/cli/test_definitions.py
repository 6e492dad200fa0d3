"""validate and publish."""

import copy

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django import Settings

from tests.integration.cli.calling import call
from tests.integration.cli.conftest import REFUND, Write
from workflows.models import WorkflowVersion

pytestmark = pytest.mark.django_db

_BAD = """\
workflow: refund
nodes:
  - {id: start, type: start, next: ask}
  - {id: ask, type: aproval, next: done}
  - {id: done, type: end, outputs: {}}
"""


def test_a_valid_file_is_valid(refund: str) -> None:
    said = call("validate", refund)
    assert (said.code, said.err) == (0, "")
    assert said.out.strip() == f"{refund}: workflow 'refund' is valid."


def test_each_problem_is_a_line_with_its_place(write: Write) -> None:
    name = write(_BAD)
    said = call("validate", name)
    assert said.code == 2
    lines = said.out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{name}:4:")
    assert "'approval'" in lines[0]
    assert lines[1].startswith(f"{name}:5:")
    assert "unknown_field" in lines[1]
    assert "(at /nodes/2/outputs)" in lines[1]
    assert said.err.startswith("2 problems in 1 file.")


def test_every_file_is_looked_at(write: Write, refund: str) -> None:
    said = call("validate", refund, write(_BAD, "bad.yaml"), "nowhere.yaml", "--json")
    assert said.code == 2
    assert said.json["valid"] is False
    assert [len(each["problems"]) for each in said.json["files"]] == [0, 2, 1]
    assert said.json["files"][0]["workflow"] == "refund"
    assert said.json["files"][2]["problems"][0]["code"] == "file_unreadable"


def test_a_warning_is_shown_and_is_no_error(write: Write) -> None:
    doubtful = copy.deepcopy(REFUND)
    doubtful["nodes"][1]["choices"].append(dict(doubtful["nodes"][1]["choices"][0], name="again"))
    said = call("validate", write(doubtful))
    assert said.code == 0
    assert "warning: " in said.out


def test_what_is_no_text_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("bytes") / "x.yaml"
    path.write_bytes(b"workflow: \xff")
    said = call("validate", str(path))
    assert said.code == 2
    assert "not UTF-8" in said.out


def test_publishing_the_same_again_changes_nothing(refund: str) -> None:
    assert call("publish", refund).out.strip() == "refund v1 published."
    assert call("publish", refund).out.strip() == "refund v1 was published before, unchanged."
    told = call("publish", refund, "--json").json["published"][0]
    assert (told["workflow"], told["version"], told["is_new"]) == ("refund", 1, False)
    assert WorkflowVersion.objects.count() == 1


def test_of_several_files_all_or_none_are_published(refund: str, write: Write) -> None:
    said = call("publish", refund, write(_BAD, "bad.yaml"))
    assert said.code == 2
    assert "nothing was published" in said.err
    assert WorkflowVersion.objects.count() == 0


def test_trusted_code_needs_a_permission_of_its_own(write: Write, settings: Settings) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "CODE": "trusted"}
    user = User.objects.create(username="alice")
    user.user_permissions.add(Permission.objects.get(codename="publish_workflow"))
    name = write(_BAD.replace("aproval", "code, source: x = 1").replace("outputs: {}", "title: x"))
    said = call("publish", name, "--as", "alice")
    assert said.code == 2
    assert "workflows.publish_trusted_code" in said.err
    user.user_permissions.add(Permission.objects.get(codename="publish_trusted_code"))
    assert call("publish", name, "--as", "alice").code == 0
