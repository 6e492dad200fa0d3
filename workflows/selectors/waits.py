"""What a run waits for: what it is, since when, until when, and who can end it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from workflows.compiler.plan import Plan
from workflows.engine.plans import load_plan
from workflows.errors import DefinitionError, NotFoundError
from workflows.models import Run, Suspension
from workflows.nodes.base import Kind
from workflows.selectors.locks import Obstacle, obstacles, words_of
from workflows.selectors.questions import addressees_in_words
from workflows.selectors.runs import waits_of

#: So many levels of child runs are looked into for somebody who can end a wait.
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Wait:
    """One open wait, told for people."""

    suspension: str
    node: str
    kind: str  # timer, event, person, child, task, lock, relock
    what: str
    who: str
    since: datetime
    wake_at: datetime | None
    event_type: str
    event_key: str
    lacking: Sequence[Obstacle] = ()  # the locks that it waits for

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form; which locks are lacking is told in `who`."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        del told["lacking"]
        times = {"since": self.since.isoformat(), "wake_at": None}
        if self.wake_at is not None:
            times["wake_at"] = self.wake_at.isoformat()
        return {**told, **times}


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
    lacking = _lacking(suspension)
    what, who = _words(suspension, plan, lacking)
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
        lacking=lacking,
    )


def _lacking(suspension: Suspension) -> Sequence[Obstacle]:
    return obstacles(suspension) if suspension.kind in ("lock", "relock") else ()


def _words(  # noqa: PLR0911 - one case a wait
    suspension: Suspension, plan: Plan | None, lacking: Sequence[Obstacle]
) -> tuple[str, str]:
    match suspension.kind:
        case "timer":
            return "its time", "nobody: it goes on by itself"
        case "event":
            return _event_words(suspension)
        case "task":
            return _task_words(suspension)
        case "child":
            return _child_words(suspension)
        case "lock" | "relock":
            return words_of(lacking, is_again=suspension.kind == "relock")
        case _:
            return _person_words(suspension, plan)


def _event_words(suspension: Suspension) -> tuple[str, str]:
    what = f"event {suspension.event_type!r}"
    if suspension.event_key:
        what += f" with key {suspension.event_key!r}"
    if suspension.collect > 1:
        what += f" ({len(suspension.collected)} of {suspension.collect} have come)"
    return what, "whoever sends that event"


def _person_words(suspension: Suspension, plan: Plan | None) -> tuple[str, str]:
    if not suspension.is_asked:
        what = suspension.prompt or "a question"
        return what, f"nobody yet: {_before(suspension)} of its run first"
    if suspension.prompt:
        return suspension.prompt, addressees_in_words(suspension)
    node = plan.nodes.get(suspension.node) if plan is not None else None
    if node is None:
        return "an answer", "a person"
    return _told_by(node.kind, str(suspension.pk))


def _task_words(suspension: Suspension) -> tuple[str, str]:
    task = f"task {suspension.data['name']!r}"
    if not suspension.is_asked:
        return f"{task}, not sent yet", "the broker: it is sent again and again"
    return task, "the worker that runs it"


def _child_words(suspension: Suspension, depth: int = 0) -> tuple[str, str]:
    """Return which child run is waited for, and who can end what that one waits for first."""
    child = suspension.children.defer("input", "output").first()
    if child is None:
        return "a child run", "nobody: it is gone"
    what = f"child run {child.pk} of workflow {child.workflow_name!r}"
    first = waits_of(child).first()
    if first is None or depth == _DEEPEST:
        return what, "whoever can end that run"
    if first.kind == "child":
        return what, _child_words(first, depth + 1)[1]
    _, who = _words(first, plan_of(child), _lacking(first))
    return what, f"{who} (at {first.node!r} of {child.workflow_name!r})"


def _before(suspension: Suspension) -> str:
    """Return how many questions come before one in the queue of its family."""
    queue = Suspension.objects.filter(family=suspension.family, state="open")
    count = queue.filter(turn__lt=suspension.turn).count()
    return "1 question" if count == 1 else f"{count} questions"


def _told_by(kind: Kind[Any], suspension_id: str) -> tuple[str, str]:
    try:
        what, who = kind.asks(suspension_id), kind.who_answers(suspension_id)
    except NotFoundError:  # the plug-in has forgotten it; the run's page must show all the same
        what = who = ""
    return what or "an answer", who or "a person"
