"""Child runs: begun with a thread's falling asleep, and told to it when they end."""

from uuid import UUID, uuid5

from workflows import conf
from workflows.context.values import check_value
from workflows.definition.schema_check import validate_value
from workflows.engine.cursor import Cursor
from workflows.engine.hints import Hint
from workflows.engine.plans import load_plan
from workflows.engine.starting import accept
from workflows.engine.waking import woken_by
from workflows.errors import InputRefusedError, NodeError
from workflows.models import Run, Suspension, WorkflowVersion
from workflows.nodes.outcomes import JSONObject
from workflows.nodes.suspensions import ChildWait
from workflows.states import SuspensionState
from workflows.store import definitions, runs, suspensions


def begin_child(
    parent: Run, cursor: Cursor, wait: ChildWait, asked_by: Suspension
) -> tuple[Run, list[Hint]]:
    """Start the run that a thread of the locked run `parent` waits for.

    Raises:
        NotFoundError: there is no such workflow or version.
        NodeError: it would be too deep, or refuses its input; no attempt can help.
        ValueRefusedError: the input is too large, or nested too deeply.
    """
    _check_depth(parent, cursor, wait)
    version = _version_for(parent, wait)
    plan = load_plan(version.pk, version.digest)
    given = dict(wait.input)
    check_value(given, max_bytes=conf.settings().max_value_bytes, setting=conf.MAX_VALUE_BYTES)
    what = f"the input of workflow {wait.workflow!r}"
    try:
        validate_value(plan.definition.input, given, what=what)
    except InputRefusedError as error:
        raise NodeError(error.code, error.message, final=True, **error.details) from None
    return accept(
        version,
        plan,
        id=_id_of(parent, asked_by),
        input=given,
        parent_id=parent.pk,
        asked_by_id=asked_by.pk,
        root_id=parent.root_id or parent.pk,
        depth=parent.depth + 1,
        pins=parent.pins,
        on_cancel=wait.on_cancel,
        started_by_id=parent.started_by_id,
    )


def describe(child: Run, version: int) -> JSONObject:
    """Return what a node is told of a child run; `version` is the number of its version."""
    told: JSONObject = {
        "run": str(child.pk),
        "workflow": child.workflow_name,
        "version": version,
        "status": child.status,
        "result": child.result or None,
        "reason": child.reason,
    }
    if child.error:
        kept = {key: value for key, value in child.error.items() if key != "input"}
        return {**told, "error": kept}
    return told if child.output is None else {**told, "output": child.output}


def tell_parent(child: Run) -> list[Hint]:
    """Wake the thread that waits for a run, which is locked and final: in one transaction."""
    asked = suspensions.by_id(child.asked_by_id) if child.asked_by_id is not None else None
    # Not looked at under a lock: a wait that is over stays so.
    if asked is None or asked.state != SuspensionState.OPEN:
        return []
    return woken_by(asked, "child", describe(child, runs.load_info(child.pk).number))


def _id_of(parent: Run, asked_by: Suspension) -> UUID:
    """Return the id of the child that an attempt of a step starts, however often it is tried."""
    return uuid5(parent.pk, f"{asked_by.thread_id}:{asked_by.seq}:{asked_by.attempt}")


def _check_depth(parent: Run, cursor: Cursor, wait: ChildWait) -> None:
    limit = cursor.plan.definition.limits.depth
    if parent.depth < limit:
        return
    message = (
        f"A child run of workflow {wait.workflow!r} would be {parent.depth + 1} runs deep, and "
        f"workflow {cursor.run.workflow!r} allows {limit} (limits.depth). Does it call itself "
        "without an end?"
    )
    raise NodeError("too_deep", message, final=True)


def _version_for(parent: Run, wait: ChildWait) -> WorkflowVersion:
    """Return the version that a node means: its own choice, the family's, or else the newest."""
    if wait.version is None and wait.workflow == parent.workflow_name:
        return definitions.known_version(parent.version_id, runs.load_info(parent.pk).digest)
    pinned = (parent.pins or {}).get(wait.workflow)
    if wait.version is None and pinned is not None:
        return definitions.known_version(*pinned)
    return definitions.version_of(wait.workflow, wait.version)
