"""Compiled versions, kept by every worker process."""

from collections import OrderedDict

from workflows.compiler.compile import recall_plan
from workflows.compiler.plan import Plan
from workflows.nodes.registry import kinds
from workflows.store import definitions

#: By digest: the same content has the same plan, whichever version it is and in whatever database.
_plans: OrderedDict[str, Plan] = OrderedDict()
_PLANS_KEPT = 200


def keep_plan(plan: Plan) -> Plan:
    """Keep a plan for this process's next runs of it."""
    _plans[plan.digest] = plan
    if len(_plans) > _PLANS_KEPT:
        _plans.popitem(last=False)
    return plan


def forget_plans() -> None:
    """Forget what is kept, for kinds that have changed."""
    _plans.clear()


def load_plan(version_id: int, digest: str) -> Plan:
    """Return the plan of a published version.

    It was checked when it was published; code that is gone since then fails the node that needs it,
    not the whole run.
    """
    known = _plans.get(digest)
    if known is not None:
        return known
    document = definitions.load_document(version_id)
    return keep_plan(recall_plan(document, kinds=kinds()))
