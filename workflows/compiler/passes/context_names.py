"""Warns of context names that no node sets, and of what may be a misspelt word."""

import re
from collections.abc import Iterator
from itertools import groupby

from workflows.compiler.draft import Draft, Field
from workflows.context.paths import parse_path
from workflows.errors import PathError, Problem
from workflows.expressions import ExpressionInfo
from workflows.nodes.base import ANYTHING

_NAME = re.compile(r"[A-Za-z_]\w*")
_ALWAYS = frozenset({"run", "now", "error", "errors", "loop", "batch", "index"})


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a warning for each name that is read and that nothing in the workflow sets."""
    known = _known(draft)
    if known is None:
        yield from _words(draft)
        return
    for field, names in _reads(draft):
        for name in sorted(names - known - set(field.mark.names)):
            own = (*field.mark.names, *field.mark.words)
            hint = draft.nearest.suggest(" ".join(("name", *own)), name, {*known, *own})
            message = f"no node sets {name!r}, and the input does not declare it{hint}"
            yield draft.field_problem("unknown_name", message, of=field, severity="warning")


def _words(draft: Draft) -> Iterator[Problem]:
    """Yield a warning for each bare name where a word may stand: `wait_for: some`."""
    for field in draft.fields("cel"):
        if field.mark.words and _NAME.fullmatch(field.value):
            words = " and ".join(map(repr, field.mark.words))
            hint = draft.nearest.suggest(" ".join(field.mark.words), field.value, field.mark.words)
            message = f"{field.value!r} is read from the context; the words here are {words}{hint}"
            yield draft.field_problem("perhaps_word", message, of=field, severity="warning")


def _known(draft: Draft) -> set[str] | None:
    """Return the names that are set somewhere; None when that cannot be told."""
    given = _given(draft)
    if given is None or not all(node.is_sound for node in draft.nodes):
        return None
    known = set(_ALWAYS) | given
    for node in draft.nodes:
        if node.kind is not None and node.config is not None:
            paths = node.kind.sets(node.config)
            if ANYTHING in paths:
                return None
            known |= {root for path in paths if (root := _root(path))}
    return known


def _given(draft: Draft) -> set[str] | None:
    """Return the names that a run starts with: of the input's schema, or of the start."""
    for node in draft.nodes:
        if getattr(node.config, "init", None) is not None:
            return set()  # the start's own `sets` has them
    schema = draft.definition.input if draft.definition is not None else True
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return set(properties) if isinstance(properties, dict) else None


def _reads(draft: Draft) -> Iterator[tuple[Field, set[str]]]:
    for _, group in groupby(draft.uses, key=lambda use: id(use.field)):
        uses = list(group)
        infos = [use.found for use in uses if isinstance(use.found, ExpressionInfo)]
        yield uses[0].field, {name for info in infos for name in info.names}
    for field in draft.fields("path"):
        root = _root(field.value)
        if root:
            yield field, {root}


def _root(path: str) -> str | None:
    try:
        return str(parse_path(path)[0])
    except (PathError, IndexError):
        return None
