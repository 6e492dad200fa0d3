"""Gives events to the waits that they match."""

from uuid import UUID

from django.db import transaction

from workflows.engine.commands import resolve as resolve_command
from workflows.engine.hints import Hint
from workflows.engine.matching import as_json, why_not
from workflows.models import Event, Suspension
from workflows.selectors.runs import context_of
from workflows.services.again import made_again
from workflows.store import events, runs, suspensions


@made_again
def deliver_emitted(event_id: int) -> list[Hint]:
    """Match an event that a step has sent, and those of its type and key that were sent before.

    Safe at any time, any number of times: under the lock on type and key an event is matched once.
    """
    event = events.undelivered(event_id)
    if event is None:
        return []
    hints: list[Hint] = []
    with transaction.atomic():
        suspensions.lock_correlation(event.type, event.key)
        for each in events.take_undelivered(event):
            hints += give(each)[1]
    return hints


def give(event: Event) -> tuple[list[UUID], list[Hint]]:
    """Give an event to the oldest wait that it matches, or to all, under its correlation lock."""
    woke: list[UUID] = []
    hints: list[Hint] = []
    waiting = suspensions.waiting_for(event.type, event.key)
    if event.deliver == "all":
        # In one order, whatever the order of their waits: two events must not block each other.
        runs.lock_runs({suspension.run_id for suspension in waiting})
    for suspension in waiting:
        why = why_not(event, suspension, context_of(suspension.thread))
        if why is not None:
            events.miss(event, suspension.pk, why)
            continue
        fed = _feed(suspension, event)
        if fed is None:
            continue
        hints += fed
        events.take(event, suspension.pk)
        woke.append(suspension.pk)
        if event.deliver == "one":
            break
    return woke, hints


def _feed(suspension: Suspension, event: Event) -> list[Hint] | None:
    """Give an event to a wait: wake it, or keep the event until there are enough. None: over."""
    collected = [*suspension.collected, as_json(event)]
    if len(collected) < suspension.collect:
        return [] if suspensions.keep_collected(suspension, collected) else None
    payload = collected if suspension.collect > 1 else collected[0]
    return resolve_command.apply(suspension, "event", payload) or None
