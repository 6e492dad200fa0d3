"""Every port leads to a node that is there."""

from collections.abc import Iterator

from workflows.compiler.draft import Draft, DraftNode
from workflows.compiler.reading import declared_ports, synthetic_id
from workflows.errors import Problem


def check(draft: Draft) -> Iterator[Problem]:
    """Yield a problem for each id that no node has, at the place where it is written."""
    known = set(draft.by_name)
    named: set[tuple[str, str]] = set()
    for field in draft.fields("node"):
        if field.node is None:
            continue
        named.add((field.node.name, field.value))
        if field.value not in known:
            hint = draft.nearest.suggest("node", field.value, known)
            message = f"there is no node {field.value!r}{hint}"
            yield draft.field_problem("unknown_node", message, of=field)
    for node in draft.nodes:
        yield from _unmarked(draft, node, named)
        yield from _repeated(draft, node)


def _unmarked(draft: Draft, node: DraftNode, named: set[tuple[str, str]]) -> Iterator[Problem]:
    """Yield ports that a kind makes out of fields which are not marked as ids."""
    if not node.is_sound:
        return
    for port, target in declared_ports(node).items():
        is_known = target is None or target in draft.by_name or target == synthetic_id(node)
        if not is_known and target is not None and (node.name, target) not in named:
            hint = draft.nearest.suggest("node", target, draft.by_name)
            message = f"node {node.id!r}: port {port!r} leads to no node: {target!r}{hint}"
            yield draft.node_problem("unknown_node", message, node=node)


def _repeated(draft: Draft, node: DraftNode) -> Iterator[Problem]:
    config = node.config
    targets = node.next_list
    if config is not None and getattr(config, "next", None) == []:
        message = f"node {node.id!r}: the list is empty; leave `next` out to end here"
        yield draft.node_problem("empty_list", message, node=node, at="/next")
    seen: set[str] = set()
    for index, target in enumerate(targets):
        if target in seen:
            message = f"node {node.id!r}: {target!r} stands twice in the list"
            yield draft.node_problem("repeated_node", message, node=node, at=f"/next/{index}")
        seen.add(target)
