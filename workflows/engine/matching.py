"""Whether an event is for a wait: by type and key in the database, then by the wait's filter."""

from typing import Any

from workflows import clock, expressions
from workflows.errors import ExpressionError
from workflows.models import Event, Suspension
from workflows.nodes.outcomes import JSONObject
from workflows.store import events, runs, suspensions


def as_json(event: Event) -> JSONObject:
    """Return an event as nodes and filters see it."""
    return {
        "type": event.type,
        "source": event.source,
        "id": event.external_id,
        "key": event.key,
        "data": event.data,
        "time": event.time.isoformat(),
    }


def why_not(event: Event, suspension: Suspension, context: JSONObject) -> str | None:
    """Return why an event does not wake a wait, or None when it does."""
    if not suspension.event_filter:
        return None
    run = runs.load_info(suspension.run_id).scope
    scope = {**context, "run": run, "now": clock.now(), "event": as_json(event)}
    try:
        if expressions.evaluate_condition(suspension.event_filter, scope):
            return None
    except ExpressionError as error:
        return f"the filter failed: {error.message}"
    return "the filter was false"


def early_events(suspension: Suspension, context: JSONObject) -> list[Any]:
    """Take the kept events that a wait that is just opening was too late for."""
    taken: list[Any] = []
    for event in events.early(suspension.event_type, suspension.event_key):
        if len(taken) >= suspension.collect:
            break
        why = why_not(event, suspension, context)
        if why is None:
            events.take(event, suspension.pk)
            taken.append(as_json(event))
        else:
            events.miss(event, suspension.pk, why)
    if taken and len(taken) < suspension.collect:
        suspensions.keep_collected(suspension, taken)
    return taken
