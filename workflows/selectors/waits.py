"""What a run waits for: what it is, since when, until when, and who can end it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from workflows.compiler.plan import Plan
from workflows.engine.plans import load_plan
from workflows.errors import DefinitionError, NotFoundError
from workflows.models import Run, Suspension
from workflows.nodes.base import Kind
from workflows.selectors.runs import waits_of


@dataclass(frozen=True, slots=True)
class Wait:
    """One open wait, told for people."""

    suspension: str
    node: str
    kind: str  # timer, event, person
    what: str
    who: str
    since: datetime
    wake_at: datetime | None
    event_type: str
    event_key: str

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        times = {"since": self.since.isoformat(), "wake_at": None}
        if self.wake_at is not None:
            times["wake_at"] = self.wake_at.isoformat()
        return {**asdict(self), **times}


def open_waits(run: Run, limit: int = 100) -> list[Wait]:
    """Return what a run waits for, the oldest first, at most `limit` of them."""
    plan = plan_of(run)
    return [_told(each, plan) for each in waits_of(run)[:limit]]


def plan_of(run: Run) -> Plan | None:
    """Return the plan of a run's version; None when this code can no longer read it."""
    try:
        return load_plan(run.version_id, run.version.digest)
    except DefinitionError:
        return None


def _told(suspension: Suspension, plan: Plan | None) -> Wait:
    what, who = _words(suspension, plan)
    return Wait(
        suspension=str(suspension.pk),
        node=suspension.node,
        kind=suspension.kind,
        what=what,
        who=who,
        since=suspension.opened_at,
        wake_at=suspension.wake_at,
        event_type=suspension.event_type,
        event_key=suspension.event_key,
    )


def _words(suspension: Suspension, plan: Plan | None) -> tuple[str, str]:
    if suspension.kind == "timer":
        return "its time", "nobody: it goes on by itself"
    if suspension.kind == "event":
        what = f"event {suspension.event_type!r}"
        if suspension.event_key:
            what += f" with key {suspension.event_key!r}"
        if suspension.collect > 1:
            what += f" ({len(suspension.collected)} of {suspension.collect} have come)"
        return what, "whoever sends that event"
    node = plan.nodes.get(suspension.node) if plan is not None else None
    if node is None:
        return "an answer", "a person"
    return _told_by(node.kind, str(suspension.pk))


def _told_by(kind: Kind[Any], suspension_id: str) -> tuple[str, str]:
    try:
        what, who = kind.asks(suspension_id), kind.who_answers(suspension_id)
    except NotFoundError:  # the plug-in has forgotten it; the run's page must show all the same
        what = who = ""
    return what or "an answer", who or "a person"
