"""Every error code: what the surfaces refuse with, and what nodes fail with."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from workflows import errors
from workflows.management import refusals
from workflows.management.reference import markdown
from workflows.nodes.registry import kinds

_MODULES = (errors, refusals)
_PACKAGES = (
    "workflows.engine",
    "workflows.nodes",
    "workflows.activities",
    "workflows.services",
    "workflows.effects",
)
_RAISED = {"Fail", "NodeError", "ActivityError", "NonRetryableError"}
_ABOUT = (
    "A refusal has a code that never changes. The REST API answers with it in a problem document, "
    "the command line with `--json`."
)
_ABOUT_NODES = (
    "A node that fails has one of these codes, or the code that an activity has raised. "
    "`retry.on`, `retry.unless` and `error.code` behind `on_error` see it. An expression that "
    "fails gives `expression_error` or `expression_limit`."
)


def page() -> str:
    """Return the page."""
    classes = [
        (markdown.code(each.code), each.status, markdown.first_line(each)) for each in _classes()
    ]
    return markdown.page(
        "Error codes",
        "## Refusals",
        _ABOUT,
        markdown.table(("code", "HTTP status", "when"), sorted(set(classes))),
        "## Failures of nodes",
        _ABOUT_NODES,
        markdown.table(("code", "comes from"), _failures()),
    )


def _classes() -> Iterator[type[errors.CeleriacError]]:
    for module in _MODULES:
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, errors.CeleriacError):
                yield value


def _failures() -> list[tuple[str, str]]:
    """Return the codes that stand as literals in the code, and the modules that they stand in."""
    found: dict[str, set[str]] = {}
    for path in _sources():
        for code in _literals(path):
            found.setdefault(code, set()).add(markdown.code(path.stem))
    return [
        (markdown.code(code), ", ".join(sorted(where))) for code, where in sorted(found.items())
    ]


def _sources() -> Iterator[Path]:
    for name in sorted({*_PACKAGES, *(type(kind).__module__ for kind in kinds().values())}):
        file = Path(str(import_module(name).__file__))
        yield from sorted(file.parent.rglob("*.py")) if file.stem == "__init__" else [file]


def _literals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        first = node.args[0]
        is_ours = isinstance(node.func, ast.Name) and node.func.id in _RAISED
        if is_ours and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value
