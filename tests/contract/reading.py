"""The sentences of the contract, and the tests that say they show them."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SENTENCES = Path(__file__).with_name("sentences.yaml")
MARK = "Contract: "


def sentences() -> dict[str, dict[str, list[str]]]:
    """Return the sentences: `kinds` by kind, and `topics` by topic."""
    read: dict[str, dict[str, list[str]]] = yaml.safe_load(SENTENCES.read_text(encoding="utf-8"))
    return read


def listed(both: Mapping[str, Mapping[str, list[str]]]) -> list[str]:
    """Return every sentence, as often as it is listed."""
    return [each for part in both.values() for of_one in part.values() for each in of_one]


@cache
def shown_by(folder: Path = ROOT / "tests") -> dict[str, list[str]]:
    """Return for each sentence that a docstring names the tests that do: `path::test`."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for name, sentence in named_in(path.read_text(encoding="utf-8")):
            place = f"{path.relative_to(folder.parent).as_posix()}::{name}"
            found.setdefault(sentence, []).append(place)
    return found


def named_in(source: str) -> Iterator[tuple[str, str]]:
    """Yield (test, sentence) for the lines that the docstrings of a file's tests begin with."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for line in (ast.get_docstring(node) or "").splitlines():
                if not line.startswith(MARK):
                    break
                yield node.name, line.removeprefix(MARK)
