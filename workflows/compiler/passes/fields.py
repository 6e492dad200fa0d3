"""Every field is known, is there, and has the right type."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft, DraftNode
from workflows.errors import Problem

#: Reading put a stand-in for such a value: what is wrong with the stand-in is no news.
_STAND_INS = frozenset({"anchor", "tag", "int_range", "not_finite", "key_type"})


def check(draft: Draft) -> Iterator[Problem]:
    """Yield what was found while the document was read, one problem for each place."""
    yield from draft.document.problems
    known = {one.pointer for one in draft.document.problems if one.code in _STAND_INS}
    for problem in draft.early:
        if problem.pointer not in known:
            yield problem
    for node in draft.nodes:
        yield from (one for one in _of_node(draft, node) if one.pointer not in known)


def _of_node(draft: Draft, node: DraftNode) -> Iterator[Problem]:
    named = f"node {node.id!r}: " if node.id else ""
    for mistake in node.reading.mistakes:
        at = node.pointer + mistake.pointer
        message = f"{named}{mistake.message}"
        yield draft.problem(mistake.code, message, at=at, at_key=mistake.at_key)
