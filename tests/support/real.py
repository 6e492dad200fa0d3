"""One workflow on real workers, as scenarios ask for it: time passes as soon as nothing moves."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Max, Sum
from django.test import override_settings

from tests.support.waiting import pause, wait_for
from tests.support.workers import Workers, workers_on
from workflows import clock, contents, services
from workflows.models import NodeExecution, Run, Suspension, Thread
from workflows.services.sweeping import sweep_once
from workflows.store import suspensions, sweep

#: A second of a definition takes a minute here: so what the machine needs does not count.
_SECONDS = re.compile(r'"PT(\d+)S"')
#: What is done within this by nobody is done by time only.
STILL = 0.15


@contextmanager
def standing_workers() -> Iterator[Workers]:
    """Give two workers that serve test after test; no beat, for time is ours."""
    from tests.support import activities, alone, celery_tasks  # noqa: PLC0415 - needs Django

    modules = ",".join(module.__name__ for module in (activities, alone, celery_tasks))
    with workers_on() as started:
        started.start(2, concurrency=2, include=modules)
        yield started


def run_on_workers(definition: dict[str, Any], data: dict[str, Any] | None) -> Run:
    """Run a definition on the workers that stand by until it is final or nothing is due."""
    contents.forget()
    passed: list[timedelta] = []
    with override_settings(CELERIAC={**settings.CELERIAC, "DISPATCHER": "celery"}):
        services.publish(_SECONDS.sub(r'"PT\1M"', json.dumps(definition)))
        run = services.start(definition["workflow"], data).run
        wait_for(lambda: _is_at_end(run, passed), every=0.02)
    run.refresh_from_db()
    if run.ended_at:
        minutes = sum(round(each / timedelta(minutes=1)) for each in passed)
        run.created_at = run.ended_at - timedelta(seconds=minutes)
    return run


def _is_at_end(run: Run, passed: list[timedelta]) -> bool:
    """Look; when nothing has moved for a while, let time pass up to what is due next."""
    alive = Run.objects.filter(ended_at__isnull=True)
    if not alive.exists():
        return True
    before = _footprint()
    pause(STILL if Run.objects.filter(pk=run.pk, ended_at__isnull=True).exists() else 0.02)
    if _footprint() != before or Thread.objects.filter(state="running").exists():
        return False
    due = _next_due()
    if due is not None and Run.objects.filter(pk=run.pk, ended_at__isnull=True).exists():
        passed.append(due - clock.now())
    _pass_time(due - clock.now() if due else timedelta())
    mended = sweep_once()
    return due is None and mended is not None and not mended.total


def _footprint() -> tuple[object, ...]:
    fences = Thread.objects.aggregate(sum=Sum("fence"), seqs=Sum("seq"), newest=Max("pk"))
    return (*fences.values(), NodeExecution.objects.count(), Suspension.objects.count())


def _next_due() -> datetime | None:
    times = (suspensions.next_due(), sweep.next_ready(), sweep.next_deadline())
    return min((time for time in times if time is not None), default=None)


def _pass_time(duration: timedelta) -> None:
    """Put everything that is due earlier by `duration`: the clock of workers cannot be moved."""
    if duration <= timedelta():
        return
    Suspension.objects.filter(state="open").update(wake_at=F("wake_at") - duration)
    Thread.objects.filter(state="ready").update(wake_at=F("wake_at") - duration)
    Run.objects.filter(ended_at__isnull=True).update(deadline_at=F("deadline_at") - duration)
