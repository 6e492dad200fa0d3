"""The generated pages are what the code says now."""

import ast
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from workflows.management.reference import pages
from workflows.management.reference.settings import ENVIRONMENT
from workflows.management.verbs import verbs
from workflows.nodes.registry import kinds


def test_the_pages_in_the_repository_are_up_to_date() -> None:
    call_command("reference", "--check")


def test_a_stale_page_is_found_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        call_command("reference", "--check", "--folder", str(tmp_path))
    assert "kinds.md" in capsys.readouterr().err
    call_command("reference", "--folder", str(tmp_path))
    call_command("reference", "--check", "--folder", str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == set(pages())


def test_everything_is_on_its_page() -> None:
    made = pages()
    for name in kinds():
        assert f"### `{name}`" in made["kinds.md"]
    for name in verbs():
        assert f"## `{name}`" in made["command-line.md"]


def test_every_variable_of_the_project_is_described() -> None:
    tree = ast.parse((settings.BASE_DIR / "project" / "settings.py").read_text())
    read = {
        str(call.args[0].value)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
    }
    assert read == set(ENVIRONMENT)


def test_every_code_that_a_run_can_fail_with_is_on_the_page() -> None:
    """Also those that stand in constants, in choices, or under the name of `code`."""
    page = pages()["errors.md"]
    codes = "http_status join_unsatisfied no_winner too_many_failures lock_cycle code_error no_stub"
    codes += " too_many_nodes run_timeout heartbeat_timeout output_invalid worker_lost task_failed"
    codes += " task_output task_unknown code_memory code_syntax timeout trial_limit trial_broken"
    for code in codes.split():
        assert f"| `{code}` |" in page, code
