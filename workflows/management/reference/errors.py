"""Every error code: what the surfaces refuse with, and what nodes fail with."""

import ast
import re
from collections.abc import Iterator, Mapping
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
    "workflows.dispatch",
    "workflows.testing",
)
#: What is called with a code as its first argument.
_RAISED = {"Fail", "NodeError", "ActivityError", "NonRetryableError"}
_TOLD = {"_failure", "failed", "_error", "invalid"}
_CODE = re.compile(r"[a-z]+(_[a-z]+)*")
_ABOUT = (
    "A refusal has a code that never changes. The REST API answers with it in a problem document, "
    "the command line with `--json`."
)
_ABOUT_NODES = (
    "A node or a run that fails has one of these codes, or the code that an activity has raised. "
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


def _literals(path: Path) -> set[str]:
    """Return the codes in a file: of failures that are made, and under the name `code`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = _constants(tree)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    of_classes = {each for node in classes for each in node.body}  # those are refusals
    nodes = [node for node in ast.walk(tree) if node not in of_classes]
    values = (value for node in nodes for value in _codes(node))
    found = {text for value in values for text in _texts(value, known)}
    return {text for text in found if _CODE.fullmatch(text)}


def _codes(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=function, args=[first, *_]):
            makers = {each.id for each in ast.walk(function) if isinstance(each, ast.Name)}
            yield from [first] if makers & (_RAISED | _TOLD) else []
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                yield from [value] if isinstance(key, ast.Constant) and key.value == "code" else []
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            for target, value in zip(targets, values, strict=False):
                yield from [value] if _is_code(target) else []
        case ast.Assign(targets=[target], value=value):
            yield from [value] if _is_code(target) else []
        case _:
            pass


def _is_code(target: ast.expr) -> bool:
    return getattr(target, "id", getattr(target, "attr", "")) == "code"


def _texts(value: ast.expr, known: Mapping[str, str]) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name):
            yield from [known[name]] if name in known else []
        case ast.IfExp(body=body, orelse=other):
            yield from (*_texts(body, known), *_texts(other, known))
        case _:
            pass


def _constants(tree: ast.Module) -> dict[str, str]:
    """Return the texts that a module names, and those that it has from our other modules."""
    found: dict[str, str] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                found[name] = text
            case ast.ImportFrom(module=str(module)) if module.startswith("workflows."):
                others = vars(import_module(module))
                named = {each.name: others.get(each.name) for each in node.names}
                found |= {name: text for name, text in named.items() if isinstance(text, str)}
    return found
