"""Events, answers and timers: whatever wakes a sleeping thread."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from django.db import transaction

from workflows import clock, conf
from workflows.context.values import check_text, check_value, digest
from workflows.engine.commands import resolve as resolve_command
from workflows.errors import ConflictError, NotFoundError
from workflows.models import Event, Suspension
from workflows.services.after import say
from workflows.services.again import made_again
from workflows.services.delivering import deliver_event
from workflows.store import events, questions, suspensions

NAME_LENGTH, KEY_LENGTH = 200, 500


@dataclass(frozen=True, slots=True)
class Receipt:
    """A kept event: whether it is new, and the ids of the suspensions that it has woken or fed."""

    event: Event
    is_new: bool
    woke: tuple[UUID, ...]


@made_again
def send_event(  # noqa: PLR0913 - the attributes of an event
    event_type: str,
    *,
    key: str = "",
    data: Any = None,
    source: str = "api",
    external_id: str | None = None,
    deliver: Literal["one", "all"] = "one",
    ttl: timedelta | None = None,
    time: datetime | None = None,
) -> Receipt:
    """Keep an event and give it to the wait that it matches; an early one is kept for its wait.

    A repeat of the same `source` and `external_id` is acknowledged and changes nothing. Waits whose
    filters there is no time for at once are looked at by workers.

    Raises:
        ValueRefusedError: `data` is not bounded JSON, or an attribute is no text of its length.
    """
    for what, text in (("type", event_type), ("source", source), ("id", external_id or "")):
        check_text(text, f"{what} of the event", longest=NAME_LENGTH)
    check_text(key, "key of the event", longest=KEY_LENGTH)
    check_value(data, max_bytes=conf.settings().max_value_bytes, setting=conf.MAX_VALUE_BYTES)
    usual = timedelta(seconds=conf.settings().event_ttl_seconds)
    with transaction.atomic():
        suspensions.lock_correlation(event_type, key)
        event, is_new = events.insert(
            source=source,
            external_id=external_id or str(uuid4()),
            type=event_type,
            key=key,
            data=data,
            digest=digest(data),
            deliver=deliver,
            time=time or clock.now(),
            expires_at=clock.now() + (usual if ttl is None else ttl),
            delivered_at=clock.now(),
        )
        if not is_new:
            return Receipt(event, is_new=False, woke=tuple(UUID(i) for i in event.taken_by))
        woke, hints = deliver_event(event)
    say(hints)
    return Receipt(event, is_new=True, woke=tuple(woke))


@made_again
def resolve(
    suspension_id: UUID | str, payload: Any, *, answer_key: str = "", by: str = ""
) -> Suspension:
    """Answer a suspension on behalf of people; works inside the caller's transaction.

    Raises:
        NotFoundError: there is no such suspension.
        ConflictError: it is over; the details say by whom and since when.
    """
    check_value(payload, max_bytes=conf.settings().max_value_bytes, setting=conf.MAX_VALUE_BYTES)
    with transaction.atomic():
        suspension = _find(UUID(str(suspension_id)))
        hints = resolve_command.apply(
            suspension,
            "answer",
            payload,
            answered_by=by,
            answer_key=answer_key,
            answer_digest=digest(payload),
        )
        if not hints:
            raise suspension_over(_find(suspension.pk))
    say(hints)
    return _find(suspension.pk)


def fire_timer(suspension_id: UUID) -> bool:
    """Wake a thread whose time has come; False when something else was first."""
    wait = _find(suspension_id)
    refusal = questions.refusal_of(wait)
    with transaction.atomic():
        hints = resolve_command.apply(wait, "timer" if refusal is None else "refused", refusal)
    say(hints)
    return bool(hints)


def _find(suspension_id: UUID) -> Suspension:
    suspension = suspensions.by_id(suspension_id)
    if suspension is None:
        message = f"There is no suspension {suspension_id}."
        raise NotFoundError(message)
    return suspension


def suspension_over(suspension: Suspension) -> ConflictError:
    """Return the conflict with a wait that is over: who ended it, and when."""
    who = suspension.answered_by or suspension.resolved_by or "the end of its run"
    since = suspension.over_at or clock.now()
    message = f"The wait at {suspension.node!r} was ended by {who} at {since.isoformat()}."
    return ConflictError(message, closed_by=who, closed_at=since.isoformat())
