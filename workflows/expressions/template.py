"""Templates: JSON with `${ cel }` in its texts.

A text that is exactly `${ cel }` becomes the value, with its type; in any other text the value is
filled in as text (texts as they are, everything else as compact JSON, so null is `null`). A
`$${` stands for the two characters `${`. Keys are not templates.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from workflows.absent import Absent
from workflows.errors import ExpressionError
from workflows.expressions.evaluate import Program, as_expression_error, program
from workflows.expressions.faults import FaultError
from workflows.expressions.kinds import to_text
from workflows.expressions.limits import (
    MAX_DEPTH,
    MAX_TEMPLATE_CEL,
    Budget,
    LimitError,
    check_text_size,
)
from workflows.expressions.scan import find_end


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """What a template uses, and everything that is wrong with it, each with a JSON pointer."""

    names: frozenset[str]
    functions: frozenset[str]
    problems: tuple[tuple[str, ExpressionError], ...]


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """One text, taken apart into plain text and compiled expressions."""

    source: str
    parts: tuple[str | Program, ...]

    @property
    def whole(self) -> Program | None:
        """The expression that is the entire text, if it is one."""
        first = self.parts[0] if len(self.parts) == 1 else None
        return first if isinstance(first, Program) else None


def render(template: Any, scope: Mapping[str, Any]) -> Any:
    """Return the JSON value of a template; one without `${` is returned itself.

    Raises:
        ExpressionError: One of its expressions does not parse, or failed.
    """
    if isinstance(template, str) and "${" not in template:
        return template
    return _render(template, scope, Budget(), depth=0)


def render_entry(template: Any, scope: Mapping[str, Any]) -> Any | Absent:
    """Return as `render` does, but ABSENT for exactly `${path}` of something that is absent."""
    if isinstance(template, str) and "${" in template:
        whole = _text_template(template).whole
        if whole is not None:
            return whole.json_or_absent(scope, Budget())
    return render(template, scope)


def check_template(template: Any) -> TemplateInfo:
    """Return what a template uses and all its problems; raises nothing."""
    names: set[str] = set()
    functions: set[str] = set()
    problems: list[tuple[str, ExpressionError]] = []
    for pointer, text in _texts(template):
        try:
            if text is None:
                raise _too_deep()
            for part in _text_template(text).parts:
                if isinstance(part, Program):
                    names |= part.info.names
                    functions |= part.info.functions
        except ExpressionError as error:
            problems.append((pointer, error))
    return TemplateInfo(frozenset(names), frozenset(functions), tuple(problems))


def text_parts(text: str) -> list[tuple[bool, str]]:
    """Return the pieces of one text in order: (is it literal, the text or the expression).

    Raises:
        ExpressionError: One of its expressions does not parse.
    """
    parts = _text_template(text).parts
    return [(False, part.source) if isinstance(part, Program) else (True, part) for part in parts]


def _texts(template: Any) -> Iterator[tuple[str, str | None]]:
    """Yield (pointer, text with `${`) in order; None for the text of what is too deep."""
    stack: list[tuple[str, Any, int]] = [("", template, 0)]
    while stack:
        pointer, value, depth = stack.pop()
        if isinstance(value, str):
            if "${" in value:
                yield pointer, value
        elif isinstance(value, dict | list | tuple):
            if depth >= MAX_DEPTH:
                yield pointer, None
                continue
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            inside = [(f"{pointer}/{_escape(str(key))}", item) for key, item in pairs]
            stack += [(where, item, depth + 1) for where, item in reversed(inside)]


def _render(template: Any, scope: Mapping[str, Any], budget: Budget, *, depth: int) -> Any:
    if isinstance(template, str):
        return _render_text(template, scope, budget) if "${" in template else template
    if not isinstance(template, dict | list):
        return template
    if depth >= MAX_DEPTH:
        raise _too_deep()
    if isinstance(template, list):
        made = [_render(item, scope, budget, depth=depth + 1) for item in template]
        return template if all(map(_is, made, template)) else made
    entries = {key: _render(item, scope, budget, depth=depth + 1) for key, item in template.items()}
    return template if all(map(_is, entries.values(), template.values())) else entries


def _render_text(template: str, scope: Mapping[str, Any], budget: Budget) -> Any:
    made = _text_template(template)
    if made.whole is not None:
        return made.whole.json(scope, budget)
    texts = [
        part if isinstance(part, str) else part.use(scope, budget, to_text) for part in made.parts
    ]
    try:
        check_text_size(sum(map(len, texts)))
    except LimitError as error:
        raise as_expression_error(error, template) from None
    return "".join(texts)


@lru_cache(maxsize=2048)
def _text_template(source: str) -> TextTemplate:
    """Return a text taken apart. Raises ExpressionError."""
    parts: list[str | Program] = []
    at = cel = 0
    while at < len(source):
        start = source.find("${", at)
        if start < 0:
            parts.append(source[at:])
            break
        if start > at and source[start - 1] == "$":
            parts.append(source[at : start - 1] + "${")
            at = start + 2
            continue
        parts.append(source[at:start])
        end = _end(source, start + 2)
        cel += end - start - 2
        _check_length(cel, source)
        parts.append(program(source[start + 2 : end]))
        at = end + 1
    return TextTemplate(source, _joined(parts))


def _end(source: str, start: int) -> int:
    try:
        return find_end(source, start)
    except (FaultError, LimitError) as error:
        raise as_expression_error(error, source) from None


def _check_length(cel: int, source: str) -> None:
    if cel > MAX_TEMPLATE_CEL:
        error = LimitError(f"it has more than {MAX_TEMPLATE_CEL} characters of CEL in one text")
        raise as_expression_error(error, source)


def _joined(parts: list[str | Program]) -> tuple[str | Program, ...]:
    return tuple(part for part in parts if part != "")


def _is(one: Any, other: Any) -> bool:
    return one is other


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _too_deep() -> ExpressionError:
    return as_expression_error(LimitError(f"it has more than {MAX_DEPTH} levels"), "template")
