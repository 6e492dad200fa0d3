"""Waiting for other processes: by looking, with a deadline."""

import os
import threading
from collections.abc import Callable
from time import monotonic

from tests.support import places


def wait_for(condition: Callable[[], object], *, seconds: float = 60, every: float = 0.05) -> None:
    """Return when the condition holds; fail the test when it does not in time."""
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, f"not within {seconds:g} s\n{story()}"
        pause(every)


def pause(seconds: float) -> None:
    """Let other processes work for a while."""
    threading.Event().wait(seconds)


def story() -> str:
    """Return where everything that is not over stands, to be shown when a test gives up."""
    from workflows import clock  # noqa: PLC0415 - Django has to be set up
    from workflows.models import Lease, Run, Thread, ThreadGroup  # noqa: PLC0415
    from workflows.states import THREAD_OVER  # noqa: PLC0415

    threads = Thread.objects.exclude(state__in=THREAD_OVER).order_by("id")[:50]
    lines = [f"now {clock.now():%T.%f}"]
    lines += [f"run {run.pk} {run.status} {run.error}" for run in Run.objects.all()[:20]]
    lines += [
        f"thread {t.pk} of {t.group_id} #{t.idx} {t.state} at {t.node} seq {t.seq} try {t.attempt} "
        f"on {t.queue} due {t.wake_at:%T} lease {t.lease_until and t.lease_until.strftime('%T')}"
        for t in threads
    ]
    lines += [
        f"group {g.pk} of {g.node} {g.state} on {g.queue} helped {g.helped_at}"
        for g in ThreadGroup.objects.filter(state="open")[:20]
    ]
    lines += [f"lease {lease.name} {lease.owner} {lease.until}" for lease in Lease.objects.all()]
    for log in sorted(places.FOLDER.glob(f"*-{os.getpid()}.log")):
        lines += [f"--- {log.name}", log.read_text()[-1500:]]
    return "\n".join(lines)
