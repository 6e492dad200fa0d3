"""Leases of claims: kept while the work lives, ended when it does not."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from workflows import clock, conf
from workflows.models import Thread
from workflows.states import ThreadState
from workflows.store import statements
from workflows.store.rows import Claim


def lease_end() -> datetime:
    """Return until when a claim made now holds."""
    return clock.now() + timedelta(seconds=conf.settings().lease_seconds)


def held(claim: Claim) -> QuerySet[Thread]:
    """Return the row of a claim if it is still ours."""
    return Thread.objects.filter(id=claim.thread_id, fence=claim.fence, state=ThreadState.RUNNING)


def holds(claim: Claim) -> bool:
    """Tell whether a claim still counts: a cancelled or swept thread has moved on."""
    return held(claim).exists()


def renew(claims: Sequence[Claim]) -> list[Claim]:
    """Keep claims that are still ours from expiring; return these."""
    return [claim for claim in claims if held(claim).update(lease_until=lease_end())]


def let_go(claims: Sequence[Claim]) -> None:
    """End the leases of claims that are still ours: the sweeper takes them for lost."""
    for claim in claims:
        held(claim).filter(lease_until__gt=clock.now()).update(lease_until=clock.now())


def confirm(claim: Claim) -> None:
    """Bring a claim to the disk at once: claiming a lone thread leaves that to a later commit."""
    if statements.is_its_own_commit():
        renew([claim])
