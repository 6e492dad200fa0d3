"""The size budgets of the code. A change that needs more raises a number here, with the reason."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("project", "workflows", "approvals", "examples", "benchmarks")
_SOURCES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
]

FUNCTION_P90 = 25
FUNCTION_LONGEST = 50
FILE_LONGEST = 400
KIND_LONGEST = 120
INTERPRETER_LONGEST = 80
TASK_LONGEST = 5

_FUNCTION_TYPES = (ast.FunctionDef, ast.AsyncFunctionDef)


def _functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, _FUNCTION_TYPES):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    has_docstring = ast.get_docstring(node, clean=False) is not None
    return node.body[1:] if has_docstring else node.body


def _body_length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = _body(node)
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the signature and the body: a docstring is no burden."""
    return node.body[0].lineno - node.lineno + _body_length(node)


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_functions_are_short() -> None:
    lengths = {name: _length(node) for path in _SOURCES for name, node in _functions(path)}
    assert {name: n for name, n in lengths.items() if n > FUNCTION_LONGEST} == {}
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= FUNCTION_P90


@pytest.mark.parametrize(
    ("folder", "longest"),
    [(package, FILE_LONGEST) for package in (*PACKAGES, "tests")]
    + [("workflows/nodes/builtin", KIND_LONGEST)],
)
def test_files_are_short(folder: str, longest: int) -> None:
    files = [path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts]
    assert {
        str(path.relative_to(ROOT)): _lines(path) for path in files if _lines(path) > longest
    } == {}


def test_the_interpreter_is_short() -> None:
    assert _lines(ROOT / "workflows/engine/interpret.py") <= INTERPRETER_LONGEST


def test_tasks_only_call_a_service() -> None:
    paths = [ROOT / "workflows/tasks.py", ROOT / "approvals/tasks.py"]
    lengths = {
        name: _body_length(node)
        for path in paths
        if path.exists()
        for name, node in _functions(path)
        if node.decorator_list
    }
    assert lengths, "no task was found"
    assert {name: n for name, n in lengths.items() if n > TASK_LONGEST} == {}
