"""Whether an event is for a wait: by type and key in the database, then by the wait's filter."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from workflows import clock, expressions
from workflows.errors import ExpressionError
from workflows.expressions import Budget
from workflows.models import Event, Suspension
from workflows.nodes.outcomes import JSONObject
from workflows.store import events, runs, suspensions

#: Pairs of an event and a wait that one transaction looks at, and rows of them loaded at once.
MOST_PAIRS: Final = 200
CHUNK: Final = 20


class OutOfBudgetError(Exception):
    """The filters before this one have used up the budget: ask it in another transaction."""


class Filters:
    """Asks the filters that one transaction comes to; they share a budget.

    Whoever sends the event holds the lock of its type and key meanwhile, and may be a web process:
    it must not pay for each of the filters that others have written.
    """

    def __init__(self) -> None:
        self._budget = Budget()
        self._budget.pause()
        self._is_first = True

    def why_not(
        self, event: Event, suspension: Suspension, context: Callable[[], JSONObject]
    ) -> str | None:
        """Return why an event does not wake a wait, or None when it does.

        Its context is asked for when there is a filter.

        Raises:
            OutOfBudgetError: others have left too little. The first one has a whole budget, so that
                each filter gets its answer in the end.
            ContentLostError: the context is not where it was kept.
        """
        if not suspension.event_filter:
            return None
        run = runs.load_info(suspension.run_id).scope
        scope = {**context(), "run": run, "now": clock.now(), "event": as_json(event)}
        is_first, self._is_first = self._is_first, False
        self._budget.go_on()
        try:
            fits = expressions.evaluate_condition(suspension.event_filter, scope, self._budget)
        except ExpressionError as error:
            if self._budget.is_used_up and not is_first:
                raise OutOfBudgetError from None
            return f"the filter failed: {error.message}"
        finally:
            self._budget.pause()
        return None if fits else "the filter was false"


@dataclass(slots=True)
class Early:
    """What a wait that is just opening was too late for: events to wake it with.

    `left` are the ids of events that it has still to be asked about.
    """

    taken: list[Any] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


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


def early_events(suspension: Suspension, context: JSONObject) -> Early:
    """Take the kept events that a wait that is just opening was too late for."""
    ids, are_others_first = events.early(suspension.event_type, suspension.event_key)
    if are_others_first:
        return Early(left=ids)
    early, filters = Early(left=ids[MOST_PAIRS:]), Filters()
    for place, event in _one_by_one(ids[:MOST_PAIRS]):
        try:
            why = filters.why_not(event, suspension, lambda: context)
        except OutOfBudgetError:
            early.left = ids[place:]
            break
        if why is None:
            events.take(event, suspension.pk)
            early.taken.append(as_json(event))
        else:
            events.miss(event, [(suspension.pk, why)])
        if len(early.taken) == suspension.collect:
            early.left = []
            break
    if early.taken and len(early.taken) < suspension.collect:
        suspensions.keep_collected(suspension, early.taken)
    return early


def _one_by_one(event_ids: list[int]) -> Iterator[tuple[int, Event]]:
    for start in range(0, len(event_ids), CHUNK):
        found = events.by_ids(event_ids[start : start + CHUNK])
        for place in range(start, min(start + CHUNK, len(event_ids))):
            if event_ids[place] in found:
                yield place, found[event_ids[place]]
