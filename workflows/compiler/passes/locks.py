"""Locks that could only fail, or could not do what they promise."""

from collections.abc import Iterator
from typing import Any

from workflows.compiler.draft import Draft, DraftNode
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield locks that are taken inside of themselves, or released around a split."""
    for name, body in draft.bodies.items():
        node = draft.by_name[name]
        if node.kind is None or not node.kind.takes_locks or node.config is None:
            continue
        members = [draft.by_name[each] for each in sorted(body) if each in draft.by_name]
        yield from _taken_twice(draft, node, members)
        if getattr(node.config, "release_while_suspended", False):
            yield from _split_inside(draft, node, body)


def _taken_twice(draft: Draft, outer: DraftNode, members: list[DraftNode]) -> Iterator[Problem]:
    for inner in members:
        if inner.kind is None or not inner.kind.takes_locks or inner.config is None:
            continue
        if _may_be_held_twice(outer.config, inner.config):
            continue
        for name in sorted(_literal_names(outer.config) & _literal_names(inner.config)):
            message = (
                f"node {inner.id!r} waits for the lock {name!r}, which its thread holds already in "
                f"the body of {outer.id!r}: it would wait for itself"
            )
            yield draft.node_problem("lock_taken_twice", message, node=inner, at="/name")


def _may_be_held_twice(outer: Any, inner: Any) -> bool:
    modes = {getattr(config, "mode", "") for config in (outer, inner)}
    limits = (getattr(config, "limit", None) or 1 for config in (outer, inner))
    return modes == {"shared"} or (modes == {"exclusive"} and min(limits) > 1)


def _literal_names(config: Any) -> set[str]:
    names = getattr(config, "name", None) or []
    names = [names] if isinstance(names, str) else names
    return {name for name in names if "${" not in name}


def _split_inside(draft: Draft, node: DraftNode, body: frozenset[str]) -> Iterator[Problem]:
    for name in sorted(body):
        inner = draft.graph.nodes[name]
        if inner.is_split:
            message = (
                f"{inner.made_for or name!r} splits the thread in the body of {node.id!r}, whose "
                "lock is released while the thread sleeps: one thread's sleep would take it from "
                "the others; leave `release_while_suspended` out, or split outside of the lock"
            )
            at = "/release_while_suspended"
            yield draft.node_problem("lock_released_in_split", message, node=node, at=at)
