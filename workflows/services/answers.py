"""Answers of people: found by run and node, given by the kind that asked."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet

from workflows.errors import ConflictError, NotFoundError, suggest
from workflows.models import Run, Suspension
from workflows.nodes.base import Kind
from workflows.selectors.runs import run_by_id, waits_of
from workflows.selectors.waits import plan_of

_SHOWN = 10


def answer(
    run_id: UUID | str,
    *,
    node: str | None = None,
    suspension: UUID | str | None = None,
    answer: Mapping[str, Any],
    by: AbstractBaseUser,
) -> Any:
    """Answer what a run asks a person, and return what the kind that asked tells the person.

    Args:
        run_id: the run.
        node: the id of the node that asks; may be left out while only one does.
        suspension: the wait itself, for a node at which several threads wait.
        answer: as the kind wants it; for an approval `decision`, `comment`, `form`, `key`.
        by: who answers; the kind decides whether they may.

    Raises:
        NotFoundError: there is no such run, or nobody asks at that node.
        ConflictError: the run waits for no person, or for several: the message lists them.
        CeleriacError: whatever the kind refuses the answer with.
    """
    run = run_by_id(run_id)
    asked = _asked(run, node, suspension)
    return _kind_of(run, asked).answer(str(asked.pk), answer, by)


def _asked(run: Run, node: str | None, suspension: UUID | str | None) -> Suspension:
    waits = waits_of(run).filter(kind="person")
    chosen = waits.filter(node=node) if node else waits
    found = list(chosen)
    if suspension is not None:
        found = [each for each in found if str(each.pk).startswith(str(suspension).lower())]
    if len(found) == 1:
        return found[0]
    if not found:
        raise _nobody(run, waits, node=node)
    raise _several(run, found)


def _nobody(
    run: Run, waits: QuerySet[Suspension], *, node: str | None
) -> NotFoundError | ConflictError:
    nodes = sorted(set(waits.values_list("node", flat=True)))
    if nodes:
        near = suggest(node, set(nodes)) if node else ""
        message = f"Run {run.pk} asks no such question{near}; it asks at: {', '.join(nodes)}."
        return NotFoundError(message, nodes=nodes)
    return ConflictError(f"Run {run.pk} is {run.status} and asks nobody.", status=run.status)


def _several(run: Run, found: list[Suspension]) -> ConflictError:
    listed = [{"node": each.node, "suspension": str(each.pk)} for each in found[:_SHOWN]]
    named = ", ".join(f"{each['node']} ({each['suspension'][:8]})" for each in listed)
    more = ", ..." if len(found) > _SHOWN else ""
    message = f"Run {run.pk} asks several questions; say which one is answered: {named}{more}."
    return ConflictError(message, waits=listed)


def _kind_of(run: Run, asked: Suspension) -> Kind[Any]:
    plan = plan_of(run)
    if plan is not None and asked.node in plan.nodes:
        return plan.nodes[asked.node].kind
    message = (
        f"The version of run {run.pk} can no longer be read, so {asked.node!r} cannot be asked."
    )
    raise ConflictError(message)
