"""Starting and cancelling runs."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from workflows import conf
from workflows.context.values import check_text, check_value, digest
from workflows.definition.schema_check import validate_value
from workflows.engine.commands import cancel_run, start_run
from workflows.engine.plans import load_plan
from workflows.errors import ConflictError, InputRefusedError, KeyReusedError, Problem
from workflows.models import Run, WorkflowVersion
from workflows.selectors.runs import run_by_id, run_key
from workflows.services.after import say
from workflows.services.again import made_again
from workflows.services.driving import own_transaction
from workflows.services.requests import check_key
from workflows.store import definitions, runs

NAME_LENGTH = 200
REASON_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Started:
    """A run, and whether this call started it or an earlier one with its key."""

    run: Run
    is_new: bool


def start(
    name: str,
    data: Any = None,
    *,
    key: str | None = None,
    version: int | None = None,
    by: AbstractBaseUser | None = None,
    run_id: UUID | None = None,
) -> Started:
    """Start a run of a workflow's newest version, or of a given one.

    Inside the caller's transaction the run commits or vanishes with it.

    Args:
        name: the workflow.
        data: its input, a JSON object.
        key: an idempotency key: a second start with it returns the first run.
        version: number of the version.
        by: who starts it; may not decide the approvals that it asks for.
        run_id: the id of the run, for whoever must know it beforehand; random if left out.

    Raises:
        NotFoundError: there is no such workflow or version.
        InputRefusedError, ValueRefusedError: the input does not fit, or name or key is no text
            that can be kept.
        KeyReusedError: the key came with another body before.
    """
    data = {} if data is None else data
    check_text(name, "name of the workflow", longest=NAME_LENGTH)
    check_value(data, max_bytes=conf.settings().max_value_bytes, setting=conf.MAX_VALUE_BYTES)
    if not isinstance(data, dict):
        message = f"The input of workflow {name!r} must be an object."
        raise InputRefusedError(message, [Problem("input_type", message)])
    chosen = definitions.version_of(name, version)
    body = digest({"workflow": name, "version": version, "input": data})
    check_key(key, shortest=1)
    earlier = _earlier(name, key, body)
    if earlier is not None:
        return earlier
    plan = load_plan(chosen.pk, chosen.digest)
    validate_value(plan.definition.input, data, what=f"the input of workflow {name!r}")
    try:
        with own_transaction():
            return _insert(chosen, data, key=key, key_digest=body, by=by, run_id=run_id)
    except IntegrityError:
        earlier = _earlier(name, key, body)
        if earlier is None:
            raise
        return earlier


@made_again
def cancel(
    run_id: Run | UUID | str,
    *,
    reason: str = "",
    by: AbstractBaseUser | None = None,
    compensate: bool = False,
) -> Run:
    """Cancel a run: every thread stops, its waits close.

    With `compensate` the steps that have finished are undone first, the newest first: until then
    the run stays `running`, and it fails if one of them cannot be undone.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: it is final already.
        ValueRefusedError: the reason is longer than 2000 characters, or cannot be kept.
    """
    check_text(reason, "reason", longest=REASON_LENGTH)
    run = run_by_id(run_id)
    who = f" by {by.get_username()}" if by is not None else ""
    with transaction.atomic():
        why = reason or f"cancelled{who}"
        hints = cancel_run.apply(run.pk, reason=why, compensate=compensate)
    # Read anew, and not refreshed: that would read its contexts too, which may be lost.
    run = run_by_id(run.pk)
    if hints is None:
        message = f"Run {run.pk} is {run.status} since {run.ended_at:%Y-%m-%d %H:%M:%S} UTC."
        raise ConflictError(message, status=run.status)
    say(hints)
    return run


def lock_run(run_id: Run | UUID | str) -> bool:
    """Lock a run inside the caller's transaction: the first lock in the order of locks.

    Plug-ins take it before a row of their own that the engine may also ask them to change.
    Returns whether the run is still live.
    """
    return runs.lock_run(run_key(run_id)) is not None


def _earlier(name: str, key: str | None, body: str) -> Started | None:
    run = runs.run_with_key(name, key) if key is not None else None
    if run is None:
        return None
    if run.key_digest != body:
        message = f"The key {key!r} has started run {run.pk} with another input or version."
        raise KeyReusedError(message, run=str(run.pk))
    return Started(run, is_new=False)


def _insert(
    version: WorkflowVersion,
    data: Any,
    *,
    key: str | None,
    key_digest: str,
    by: AbstractBaseUser | None,
    run_id: UUID | None,
) -> Started:
    run, hints = start_run.apply(
        version,
        load_plan(version.pk, version.digest),
        id=run_id or uuid4(),
        input=data,
        key=key,
        key_digest=key_digest if key is not None else "",
        started_by_id=by.pk if by is not None else None,
    )
    say(hints)
    return Started(run, is_new=True)
