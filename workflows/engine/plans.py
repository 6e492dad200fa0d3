"""Compiled versions, kept by every worker process."""

from functools import lru_cache

from workflows.compiler.compile import compile_definition
from workflows.compiler.plan import Plan
from workflows.nodes.registry import kinds
from workflows.store import definitions


@lru_cache(maxsize=200)
def load_plan(version_id: int, _digest: str) -> Plan:
    """Return the plan of a published version; the digest tells a reused id from the first.

    It was checked against the registered activities and queues when it was published; code that is
    gone since then fails the node that needs it, not the whole run.
    """
    document = definitions.load_document(version_id)
    return compile_definition(document, kinds=kinds(), activities=None, queues=None).plan
