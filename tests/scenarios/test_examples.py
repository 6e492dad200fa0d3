"""Every example that needs nothing but its own folder gives what it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.calling import call
from workflows.context.values import equal

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDERS = sorted(found.parent for found in EXAMPLES.glob("*/expected.json"))

pytestmark = pytest.mark.django_db


def given(folder: Path, name: str) -> list[str]:
    file = folder / f"{name}.json"
    return [f"--{name}", str(file)] if file.exists() else []


def told(report: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    return {name: report[name] for name in expected}


def test_there_are_examples() -> None:
    assert FOLDERS


@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_example_gives_what_it_says(folder: Path, seed: int | None) -> None:
    words = [word for name in ("input", "stubs", "events") for word in given(folder, name)]
    words += ["--seed", str(seed)] if seed is not None else []
    said = call("try", str(folder / "workflow.yaml"), *words, "--json")
    assert said.code == 0, said.err
    expected = json.loads((folder / "expected.json").read_text())
    assert equal(told(said.json, expected), expected), told(said.json, expected)
    assert said.json["unused"] == []
