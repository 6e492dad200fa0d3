"""The reference pages, made from the code: nothing in them is written twice."""

import json
from collections.abc import Callable

from workflows.definition.schema import document_schema
from workflows.management.reference import (
    command_line,
    errors,
    expressions,
    kinds,
    settings,
    states,
    trials,
)
from workflows.nodes.registry import kinds as known_kinds

_PAGES: dict[str, Callable[[], str]] = {
    "kinds.md": kinds.page,
    "expressions.md": expressions.page,
    "settings.md": settings.page,
    "errors.md": errors.page,
    "states.md": states.page,
    "command-line.md": command_line.page,
    "try.md": trials.page,
    "try.schema.json": trials.schema,
}


def pages() -> dict[str, str]:
    """Return the text of every generated file below `docs/reference/`, by its name."""
    schema = json.dumps(document_schema(known_kinds()), indent=2, ensure_ascii=False)
    return {name: make() for name, make in _PAGES.items()} | {"workflow.schema.json": f"{schema}\n"}
