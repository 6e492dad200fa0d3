"""Offering events to the waits for them: at once as far as the budget goes, then by workers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from uuid import UUID

from django.db import transaction

from workflows.engine.commands import resolve as resolve_command
from workflows.engine.hints import ContextLost, EventLeft, Hint
from workflows.engine.matching import CHUNK, MOST_PAIRS, Filters, OutOfBudgetError, as_json
from workflows.errors import ContentLostError
from workflows.models import Event, Suspension
from workflows.selectors.runs import context_of
from workflows.services.again import made_again
from workflows.store import candidates, events, runs, suspensions
from workflows.store.candidates import Pair


def deliver_event(event: Event) -> tuple[list[UUID], list[Hint]]:
    """Offer a new event to the oldest wait that it matches, or to all; return whom it woke or fed.

    For what comes under the lock of its type and key, in the transaction that keeps it. Waits that
    there is no budget for are left to workers.
    """
    waiting, are_others_first = suspensions.waiting_for(event.type, event.key)
    pairs = [Pair(event.pk, wait, is_early=False, run_id=run) for wait, run in waiting]
    offers = Offers({event.pk: event})
    if not are_others_first:
        offers.offer(pairs[:MOST_PAIRS])
    left = [pair for pair in pairs[offers.done :] if not offers.is_needless(pair)]
    if left:
        candidates.insert(left)
        offers.hints += _go_on(event.type, event.key)
    return offers.woke, offers.hints


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
            hints += deliver_event(each)[1]
    return hints


@made_again
def deliver_candidates(candidate_id: int) -> list[Hint] | None:
    """Go on with what was left, from this candidate; None when somebody has done that already."""
    with transaction.atomic():
        correlation = candidates.correlation_of(candidate_id)
        if correlation is None:
            return None
        suspensions.lock_correlation(*correlation)
        pairs = _alike(candidates.first(*correlation, MOST_PAIRS))
        if not pairs or pairs[0].id != candidate_id:
            return None
        offers = Offers()
        offers.offer(pairs)
        candidates.remove(pairs[: offers.done])
        for event in offers.events.values():
            if event.taken_at is not None:
                candidates.remove_event(event)
        offers.hints += _go_on(*correlation)
    return offers.hints


def _go_on(event_type: str, key: str) -> list[Hint]:
    first = candidates.lease_first(event_type, key)
    return [] if first is None else [EventLeft(first)]


def _alike(pairs: list[Pair]) -> list[Pair]:
    """Return the first pairs that are of one event, or of one wait.

    So no more than one run is locked in the course of it, or all of them at its beginning.
    """
    of_event = list(takewhile(lambda pair: pair.event_id == pairs[0].event_id, pairs))
    of_wait = list(takewhile(lambda pair: pair.suspension_id == pairs[0].suspension_id, pairs))
    return max(of_event, of_wait, key=len)


@dataclass(slots=True)
class Offers:
    """One stretch of offering events to waits, in one transaction."""

    events: dict[int, Event] = field(default_factory=dict)
    done: int = 0
    woke: list[UUID] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    _waits: dict[UUID, Suspension] = field(default_factory=dict)
    _over: set[UUID] = field(default_factory=set)
    _misses: dict[int, list[tuple[UUID, str]]] = field(default_factory=dict)
    _filters: Filters = field(default_factory=Filters)

    def offer(self, pairs: Sequence[Pair]) -> None:
        """Offer each event to its wait; `done` tells how many pairs there was budget for."""
        self._load(pairs[:CHUNK])
        if any(event.deliver == "all" for event in self.events.values()):
            # In one order, whatever the order of the waits: two events must not block each other.
            runs.lock_runs({pair.run_id for pair in pairs})
        for place, pair in enumerate(pairs):
            if place and place % CHUNK == 0:
                self._load(pairs[place : place + CHUNK])
            event, wait = self.events.get(pair.event_id), self._waits.get(pair.suspension_id)
            if event is not None and wait is not None and not self.is_needless(pair):
                try:
                    self._offer(event, wait)
                except OutOfBudgetError:
                    break
            self.done += 1
        for event_id, why in self._misses.items():
            events.miss(self.events[event_id], why)

    def is_needless(self, pair: Pair) -> bool:
        """Tell whether the wait is over, or the event was taken by the one that it is for."""
        event = self.events.get(pair.event_id)
        is_for_one = event is not None and (pair.is_early or event.deliver == "one")
        is_taken = event is not None and event.taken_at is not None
        return pair.suspension_id in self._over or (is_for_one and is_taken)

    def _load(self, pairs: Sequence[Pair]) -> None:
        needed = [pair for pair in pairs if not self.is_needless(pair)]
        self.events |= events.by_ids({pair.event_id for pair in needed} - self.events.keys())
        waits = {pair.suspension_id for pair in needed} - self._waits.keys()
        self._waits |= suspensions.open_by_ids(waits)

    def _offer(self, event: Event, wait: Suspension) -> None:
        try:
            why = self._filters.why_not(event, wait, lambda: context_of(wait.thread))
        except ContentLostError as lost:
            why = f"the filter failed: {lost.message}"
            # After the commit: locks on runs are taken in an order, and this one may not be held.
            self.hints.append(ContextLost(wait.run_id, wait.node, lost))
        if why is not None:
            self._misses.setdefault(event.pk, []).append((wait.pk, why))
            return
        fed = _feed(wait, event)
        if fed is None:
            self._over.add(wait.pk)
            return
        if fed:
            self._over.add(wait.pk)
        self.hints += fed
        events.take(event, wait.pk)
        self.woke.append(wait.pk)


def _feed(suspension: Suspension, event: Event) -> list[Hint] | None:
    """Give an event to a wait: wake it, or keep the event until there are enough. None: over."""
    collected = [*suspension.collected, as_json(event)]
    if len(collected) < suspension.collect:
        return [] if suspensions.keep_collected(suspension, collected) else None
    payload = collected if suspension.collect > 1 else collected[0]
    return resolve_command.apply(suspension, "event", payload) or None
