"""Answers of people: found by run and node, given by the kind that asked."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet

from workflows.errors import (
    ConflictError,
    InputRefusedError,
    NotFoundError,
    Problem,
    suggest,
)
from workflows.models import Run, Suspension
from workflows.nodes.base import Kind
from workflows.selectors.runs import questions_of, run_by_id
from workflows.selectors.waits import plan_of
from workflows.services.questions import answer_question
from workflows.services.requests import check_key

_SHOWN = 10


def answer(
    run_id: Run | UUID | str,
    *,
    node: str | None = None,
    suspension: UUID | str | None = None,
    answer: Mapping[str, Any],
    by: AbstractBaseUser,
) -> Any:
    """Answer what a run asks a person, and return what the kind that asked tells the person.

    Args:
        run_id: the run, or its id.
        node: the id of the node that asks; may be left out while only one does.
        suspension: the wait itself, for a node at which several threads wait.
        answer: as the kind wants it; for an approval `decision`, `comment`, `form`, `key`; for a
            question of the engine's own `data` (or `form`, which means the same) and `key`.
        by: who answers; the kind decides whether they may.

    Raises:
        NotFoundError: there is no such run, or nobody asks at that node.
        ConflictError: the run waits for no person, or for several: the message lists them; or the
            question waits for its turn.
        CeleriacError: whatever the kind refuses the answer with.
    """
    check_key(answer.get("key"))  # it is looked for before the kind sees it
    run = run_by_id(run_id)
    asked = _asked(run, node, suspension, answer.get("key"))
    if asked.prompt:
        return answer_question(asked.pk, _data(answer), by=by, key=answer.get("key"))
    return _kind_of(asked).answer(str(asked.pk), answer, by)


def _data(answer: Mapping[str, Any]) -> Any:
    if "data" not in answer and "form" not in answer:
        message = "The answer is missing: give it as `data`."
        raise InputRefusedError(message, [Problem("answer_missing", message, "/data")])
    return answer["data"] if "data" in answer else answer["form"]


def _asked(
    run: Run, node: str | None, suspension: UUID | str | None, key: str | None
) -> Suspension:
    everything = questions_of(run)
    if node:
        everything = everything.filter(node=node)
    repeated = everything.filter(answer_key=key).first() if key else None
    if repeated is not None:
        return repeated  # it was answered with this very delivery: whoever asked knows what to say
    if suspension is not None:
        wanted = str(suspension).lower()
        found = [each for each in everything if str(each.pk).startswith(wanted)]
    else:
        # What waits for its turn is meant only when nothing else can be.
        waiting = list(everything.filter(state="open"))
        found = [each for each in waiting if each.is_asked] or waiting
    if len(found) == 1:
        return found[0]
    if not found:
        raise _nobody(run, questions_of(run).filter(state="open"), node=node)
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


def _kind_of(asked: Suspension) -> Kind[Any]:
    plan = plan_of(asked.run)
    if plan is not None and asked.node in plan.nodes:
        return plan.nodes[asked.node].kind
    what = f"The version of run {asked.run_id} can no longer be read"
    message = f"{what}, so {asked.node!r} cannot be asked."
    raise ConflictError(message)
