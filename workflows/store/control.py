"""Leases, queue limits and answered requests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from workflows import clock, conf
from workflows.models import IdempotencyRecord, Lease, QueueState


def take_lease(name: str, owner: str, seconds: float) -> bool:
    """Take a lease that is free; of two who try, one gets it."""
    now = clock.now()
    until = now + timedelta(seconds=seconds)
    if Lease.objects.filter(name=name, until__lte=now).update(owner=owner, until=until):
        return True
    _, is_new = Lease.objects.get_or_create(name=name, defaults={"owner": owner, "until": until})
    return is_new


def lease_ends(name: str) -> datetime | None:
    """Return until when a lease is or was held."""
    return Lease.objects.filter(name=name).values_list("until", flat=True).first()


def release_lease(name: str, owner: str) -> None:
    """Give a lease back before its time."""
    Lease.objects.filter(name=name, owner=owner).update(until=clock.now())


#: A queue that was never used has saved up all it may, as one that has long been idle.
_LONG_IDLE = datetime(1970, 1, 1, tzinfo=UTC)


def lock_queue(name: str) -> QueueState:
    """Lock a queue's row: its limits are counted by one at a time."""
    QueueState.objects.get_or_create(name=name, defaults={"next_at": _LONG_IDLE})
    return QueueState.objects.select_for_update().get(pk=name)


def granted(queue: QueueState, limits: conf.QueueSettings, count: int) -> tuple[int, datetime]:
    """Return how many of `count` tokens a locked queue has now, and when the next falls due.

    At most `burst` tokens are ever saved up. The bucket is a row: a lost broker changes nothing.
    """
    now = clock.now()
    if limits.rate is None:
        return count, now
    _bring_forward(queue, now + timedelta(seconds=1 / limits.rate))
    start = _first_token(queue, limits, now)
    if start > now:
        return 0, start
    return min(count, int((now - start) * limits.rate / timedelta(seconds=1)) + 1), now


def spend(queue: QueueState, limits: conf.QueueSettings, count: int) -> None:
    """Take `count` tokens of a locked queue."""
    if limits.rate is not None and count:
        start = _first_token(queue, limits, clock.now())
        following = start + timedelta(seconds=count / limits.rate)
        QueueState.objects.filter(pk=queue.pk).update(next_at=following)


def _bring_forward(queue: QueueState, latest: datetime) -> None:
    """Let a raised rate hold at once: a token that a lower one has put off is due by `latest`."""
    if queue.next_at > latest:
        queue.next_at = latest
        queue.save(update_fields=["next_at"])


def _first_token(queue: QueueState, limits: conf.QueueSettings, now: datetime) -> datetime:
    saved = timedelta(seconds=(limits.burst - 1) / (limits.rate or 1))
    return max(queue.next_at, now - saved)


def begin_request(principal: str, key: str, digest: str) -> tuple[IdempotencyRecord, bool]:
    """Note a request under its idempotency key, or return the earlier one."""
    return IdempotencyRecord.objects.get_or_create(
        principal=principal, key=key, defaults={"digest": digest, "created_at": clock.now()}
    )


def lock_request(record: IdempotencyRecord) -> IdempotencyRecord | None:
    """Lock a request's row and read it again; None while somebody else is at work on it."""
    rows = IdempotencyRecord.objects.select_for_update(skip_locked=True)
    return rows.filter(pk=record.pk).first()


def answer_request(record: IdempotencyRecord, status: int, response: Any) -> None:
    """Keep the answer to give again."""
    IdempotencyRecord.objects.filter(pk=record.pk).update(status=status, response=response)


def forget_request(record: IdempotencyRecord) -> None:
    """Forget a request that was not carried out, so that it can be tried again."""
    # Another delivery may have been carried out and answered meanwhile: that one stays.
    IdempotencyRecord.objects.filter(pk=record.pk, status__isnull=True).delete()


def forget_old_requests(limit: int) -> int:
    """Delete requests that are too old to be sent again; return how many.

    One that is being carried out at this moment is locked, and stays.
    """
    before = clock.now() - timedelta(seconds=conf.settings().idempotency_seconds)
    # Ids follow the times, so the oldest are found without an index of their own.
    oldest = IdempotencyRecord.objects.order_by("id").values_list("id", "created_at")
    first = oldest.first()
    if first is None or first[1] >= before:
        return 0
    ids = [pk for pk, created_at in oldest[:limit] if created_at < before]
    free = IdempotencyRecord.objects.select_for_update(skip_locked=True).filter(pk__in=ids)
    count, _ = IdempotencyRecord.objects.filter(pk__in=[row.pk for row in free.only("pk")]).delete()
    return count
