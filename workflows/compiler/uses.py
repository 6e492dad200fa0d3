"""Looks at the expressions of a document: each different one once, and not without end.

Reading an expression takes time in proportion to its tokens, so the tokens of a node, which may
have to be read again while it runs, and those of a whole document are bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from workflows import expressions
from workflows.compiler.draft import Draft, Field, Use
from workflows.errors import ExpressionError, ExpressionLimitError
from workflows.expressions import ExpressionInfo
from workflows.expressions.limits import MAX_DEFINITION_TOKENS, MAX_NODE_TOKENS

#: What an expression that is refused counts for, beside its own.
_REFUSAL_TOKENS: Final = 20
#: The text (None: of something too deep), and whether it is one of a template.
Source = tuple[str | None, bool]


def uses_of(draft: Draft) -> tuple[Use, ...]:
    """Return what each expression of the document uses, or why it is refused, in order.

    Where a bound is met, that is the refusal, and what follows it is left out.
    """
    return tuple(_Reader().read(draft))


@dataclass(slots=True)
class _Reader:
    found: dict[Source, ExpressionInfo | ExpressionError] = field(default_factory=dict)
    tokens: int = 0
    of_node: set[Source] = field(default_factory=set)
    node_tokens: int = 0

    def read(self, draft: Draft) -> Iterator[Use]:
        node, is_full = "", False
        for place, inside, source in _sources(draft):
            here = place.node.pointer if place.node is not None else ""
            if here != node:
                node, is_full = here, False
                self.of_node, self.node_tokens = set(), 0
            if is_full:
                continue
            refusal = self._count(source)
            yield Use(place, inside, refusal or self._look(source))
            is_full = refusal is not None
            if is_full and self.tokens > MAX_DEFINITION_TOKENS:
                return

    def _count(self, source: Source) -> ExpressionError | None:
        """Count the tokens of an expression; return why it is not even read, if so."""
        if source not in self.of_node:
            self.of_node.add(source)
            tokens = _tokens(source)
            self.node_tokens += tokens
            self.tokens += 0 if source in self.found else tokens
        if self.node_tokens > MAX_NODE_TOKENS:
            return _too_many("this node", MAX_NODE_TOKENS)
        if self.tokens > MAX_DEFINITION_TOKENS:
            return _too_many("this workflow", MAX_DEFINITION_TOKENS)
        return None

    def _look(self, source: Source) -> ExpressionInfo | ExpressionError:
        found = self.found.get(source)
        if found is None:
            found = self.found[source] = _check(source)
            # To find the place and the words for it takes time as well.
            self.tokens += _REFUSAL_TOKENS if isinstance(found, ExpressionError) else 0
        return found


def _sources(draft: Draft) -> Iterator[tuple[Field, str, Source]]:
    for place in draft.fields("cel", "condition", "template"):
        if place.mark.is_a == "template":
            for inside, text in expressions.texts_of(place.value):
                yield place, inside, (text, True)
        elif place.value.strip() or place.mark.is_a == "cel":  # a blank condition is never true
            yield place, "", (place.value, False)


def _tokens(source: Source) -> int:
    text, is_template = source
    if is_template or text is None:
        return expressions.count_text_tokens(text)
    return expressions.count_tokens(text)


def _check(source: Source) -> ExpressionInfo | ExpressionError:
    text, is_template = source
    if not is_template and text is not None and not text.strip():
        return ExpressionError("an expression must not be blank")
    try:
        if is_template or text is None:
            return expressions.check_text(text)
        return expressions.check(text)
    except ExpressionError as error:
        return error


def _too_many(where: str, limit: int) -> ExpressionError:
    return ExpressionLimitError(
        f"the expressions of {where} have more than {limit} words and signs together; "
        "what follows was not looked at"
    )
