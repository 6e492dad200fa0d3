"""Changing the limits of splits that are under way."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from pydantic import ValidationError

from workflows.definition.model import Tolerate
from workflows.engine.commands import change_group as command
from workflows.engine.hints import Hint
from workflows.errors import ConflictError, InputRefusedError, Problem
from workflows.models import Run
from workflows.selectors.runs import run_by_id
from workflows.services.after import say
from workflows.services.again import made_again
from workflows.store import groups, runs

MOST_PARALLEL = 2**31 - 1
_WITH_WINDOW = ("slices", "items")


class _Keep(Enum):
    KEEP = "keep"


#: Leaves the tolerance as it is: None takes it away.
KEEP: Final = _Keep.KEEP


@made_again
def change_group(
    run_id: Run | UUID | str,
    node: str,
    *,
    group: UUID | str | None = None,
    parallel: int | None = None,
    tolerate: Mapping[str, float] | _Keep | None = KEEP,
) -> Run:
    """Change the limits of the open groups of a split; groups that it opens later have its own.

    Args:
        run_id: the run, or its id.
        node: id of the batch, map, fan-out or race.
        group: only this one, when several groups of the node are open.
        parallel: how many parts may live at once from now on, 0 for no limit; None leaves it. Of
            a smaller number, parts that live already go on.
        tolerate: `{"count": n}`, `{"percent": p}`, or None for no failure. If more have failed
            already, the group fails now.

    Returns:
        The run as it is now.

    Raises:
        NotFoundError: there is no such run.
        InputRefusedError: a limit makes no sense, or this split has no window.
        ConflictError: no such group is open.
    """
    changes = _checked(parallel, tolerate)
    run = run_by_id(run_id)
    with transaction.atomic():
        locked = runs.lock_run(run.pk)
        opened = groups.open_groups(run.pk, node)
        found = [each for each in opened if group is None or str(each.pk) == str(group)]
        if locked is None or not found:
            message = f"No group of node {node!r} of run {run.pk} is open."
            raise ConflictError(message, status=run.status)
        if parallel is not None and any(each.parts["parts"] not in _WITH_WINDOW for each in found):
            message = f"Node {node!r} has no window: all its branches live at once."
            raise InputRefusedError(message, [Problem("no_window", message, "/parallel")])
        hints: list[Hint] = []
        for each in found:
            hints += command.apply(locked, each.pk, changes) or []
    say(hints)
    return run_by_id(run_id)


def _checked(parallel: int | None, tolerate: Mapping[str, float] | _Keep | None) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    problems: list[Problem] = []
    if parallel is not None:
        changes["parallel"] = parallel
        if not 0 <= parallel <= MOST_PARALLEL:
            problems.append(Problem("parallel_invalid", "Must be 0 or more.", "/parallel"))
    if tolerate is not KEEP:
        changes["tolerate"] = None if tolerate is None else dict(tolerate)
        problems += _tolerate_problems(tolerate)
    if not changes:
        problems.append(Problem("nothing_to_change", "Give `parallel`, `tolerate`, or both."))
    if problems:
        raise InputRefusedError(problems[0].message, problems)
    return changes


def _tolerate_problems(tolerate: Mapping[str, float] | None) -> list[Problem]:
    if tolerate is None:
        return []
    try:
        found = Tolerate.model_validate(dict(tolerate), strict=True).problems()
    except ValidationError as error:
        found = [
            ("/".join(map(str, ("/tolerate", *one["loc"]))), one["msg"]) for one in error.errors()
        ]
    return [Problem("tolerate_invalid", message, at) for at, message in found]
