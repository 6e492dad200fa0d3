"""Templates: JSON with `${ cel }` in its texts.

A text that is exactly `${ cel }` becomes the value, with its type; in any other text the value is
filled in as text (texts as they are, everything else as compact JSON, so null is `null`). A
`$${` stands for the two characters `${`. Keys are not templates.
"""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

from workflows.absent import Absent
from workflows.errors import ExpressionError
from workflows.expressions.cache import Cache
from workflows.expressions.evaluate import (
    ExpressionInfo,
    Program,
    as_expression_error,
    program,
)
from workflows.expressions.faults import FaultError
from workflows.expressions.kinds import to_text
from workflows.expressions.limits import (
    MAX_DEPTH,
    MAX_KEPT,
    MAX_TEMPLATE_CEL,
    MAX_TOKENS,
    TEXT_UNIT,
    Budget,
    LimitError,
    check_text_size,
)
from workflows.expressions.parse import count_tokens
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
    def weight(self) -> int:
        """Its size for the cache: the programs count as their own size once more."""
        return 1 + sum(1 if isinstance(part, str) else part.weight for part in self.parts)

    @property
    def whole(self) -> Program | None:
        """The expression that is the entire text, if it is one."""
        first = self.parts[0] if len(self.parts) == 1 else None
        return first if isinstance(first, Program) else None


#: Of this process.
_TEXTS: Final = Cache[TextTemplate](MAX_KEPT)


def render(template: Any, scope: Mapping[str, Any], budget: Budget | None = None) -> Any:
    """Return the JSON value of a template; one without `${` is returned itself.

    All its expressions share the `budget`, or one of their own.

    Raises:
        ExpressionError: One of its expressions does not parse, or failed.
    """
    if isinstance(template, str) and "${" not in template:
        return template
    return _render(template, scope, budget or Budget(), depth=0)


def render_entry(
    template: Any, scope: Mapping[str, Any], budget: Budget | None = None
) -> Any | Absent:
    """Return as `render` does, but ABSENT for exactly `${path}` of something that is absent."""
    if isinstance(template, str) and "${" in template:
        whole = _text_template(template, budget).whole
        if whole is not None:
            return whole.json_or_absent(scope, budget or Budget())
    return render(template, scope, budget)


def check_template(template: Any) -> TemplateInfo:
    """Return what a template uses and all its problems; raises nothing."""
    names: set[str] = set()
    functions: set[str] = set()
    problems: list[tuple[str, ExpressionError]] = []
    for pointer, text in texts_of(template):
        try:
            info = check_text(text)
        except ExpressionError as error:
            problems.append((pointer, error))
        else:
            names |= info.names
            functions |= info.functions
    return TemplateInfo(frozenset(names), frozenset(functions), tuple(problems))


def text_parts(text: str) -> list[tuple[bool, str]]:
    """Return the pieces of one text in order: (is it literal, the text or the expression).

    Raises:
        ExpressionError: One of its expressions does not parse.
    """
    parts = _text_template(text).parts
    return [(False, part.source) if isinstance(part, Program) else (True, part) for part in parts]


def check_text(text: str | None) -> ExpressionInfo:
    """Return what the expressions of one text of a template use.

    Raises:
        ExpressionError: One of them is wrong; or the text is None, as `texts_of` gives it.
    """
    if text is None:
        raise _too_deep()
    programs = [part for part in _text_template(text).parts if isinstance(part, Program)]
    return ExpressionInfo(
        frozenset[str]().union(*(each.info.names for each in programs)),
        frozenset[str]().union(*(each.info.functions for each in programs)),
        frozenset[tuple[str, str]]().union(*(each.info.members for each in programs)),
    )


def count_text_tokens(text: str | None) -> int:
    """Return the tokens of the expressions of one text: what compiling it depends on."""
    try:
        cut = _cut(text or "")
    except ExpressionError:
        return MAX_TOKENS  # what was looked at before it was refused
    return sum(count_tokens(part) for is_cel, part in cut if is_cel)


def texts_of(template: Any) -> Iterator[tuple[str, str | None]]:
    """Yield (JSON pointer, text with `${`) in order; None for the text of what is too deep."""
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
    made = _text_template(template, budget)
    if made.whole is not None:
        return made.whole.json(scope, budget)
    texts = [
        part if isinstance(part, str) else part.use(scope, budget, to_text) for part in made.parts
    ]
    size = sum(map(len, texts))
    try:
        check_text_size(size)
        budget.spend(size // TEXT_UNIT)
    except LimitError as error:
        raise as_expression_error(error, template) from None
    return "".join(texts)


def _text_template(source: str, budget: Budget | None = None) -> TextTemplate:
    """Return a text taken apart, as `program` does. Raises ExpressionError."""
    found = _TEXTS.find(source)
    if found is not None:
        return found
    with budget.paused() if budget is not None else nullcontext():
        parts = [program(part) if is_cel else part for is_cel, part in _cut(source)]
        return _TEXTS.keep(source, TextTemplate(source, tuple(parts)))


def _cut(source: str) -> list[tuple[bool, str]]:
    """Return (is it CEL, text) for each part of a text. Raises ExpressionError."""
    parts: list[tuple[bool, str]] = []
    at = cel = 0
    while at < len(source):
        start = source.find("${", at)
        if start < 0:
            parts.append((False, source[at:]))
            break
        if start > at and source[start - 1] == "$":
            parts.append((False, source[at : start - 1] + "${"))
            at = start + 2
            continue
        parts.append((False, source[at:start]))
        end = _end(source, start + 2)
        cel += end - start - 2
        _check_length(cel, source)
        parts.append((True, source[start + 2 : end]))
        at = end + 1
    return [(is_cel, part) for is_cel, part in parts if is_cel or part]


def _end(source: str, start: int) -> int:
    try:
        return find_end(source, start)
    except (FaultError, LimitError) as error:
        raise as_expression_error(error, source) from None


def _check_length(cel: int, source: str) -> None:
    if cel > MAX_TEMPLATE_CEL:
        error = LimitError(f"it has more than {MAX_TEMPLATE_CEL} characters of CEL in one text")
        raise as_expression_error(error, source)


def _is(one: Any, other: Any) -> bool:
    return one is other


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _too_deep() -> ExpressionError:
    return as_expression_error(LimitError(f"it has more than {MAX_DEPTH} levels"), "template")
