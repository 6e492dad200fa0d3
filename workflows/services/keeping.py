"""Keeps the leases of long work: a thread in each worker process renews what is really held."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from django.db import connection

from workflows import clock, conf
from workflows.activities import Activity
from workflows.store import threads
from workflows.store.rows import Claim

logger = logging.getLogger("workflows.keeping")


class Watch:
    """The claims in hand, and until when the work on them counts as alive."""

    def __init__(self, claims: Sequence[Claim], break_up: Callable[[], None]) -> None:
        self.claims = claims
        self.break_up = break_up
        self.since = monotonic()
        self.ends: float | None = None
        self.silence: float | None = None
        self.beaten = self.since

    @contextmanager
    def calling(self, activity: Activity, seconds: float) -> Iterator[None]:
        """Mark the time in which an activity runs: past its limit nothing is renewed."""
        self.ends = monotonic() + seconds + 1
        self.silence = activity.heartbeat.total_seconds() if activity.heartbeat else None
        self.beaten = monotonic()
        try:
            yield
        finally:
            self.ends = self.silence = None

    def beat(self) -> None:
        """Take a heartbeat of the activity that runs now."""
        self.beaten = monotonic()

    def keep(self) -> None:
        """Renew the leases of living work, and let go of what it keeps waiting."""
        if self.is_alive():
            self.claims = threads.renew(self.claims)
        self.break_up()

    def is_alive(self) -> bool:
        """Tell whether the work may keep its leases: dead code must not."""
        now = monotonic()
        if self.ends is not None and now > self.ends:
            return False
        return self.silence is None or now - self.beaten <= self.silence


class _Keeper:
    """One background thread a process, started with the first work it may have to keep."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        with self._lock:
            self._watches.add(watch)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, daemon=True, name="leases")
                self._thread.start()

    def remove(self, watch: Watch) -> None:
        with self._lock:
            self._watches.discard(watch)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(conf.settings().lease_seconds / 3):
            self._renew(monotonic() - conf.settings().lease_seconds / 3)

    def _renew(self, before: float) -> None:
        with self._lock:
            old = [watch for watch in self._watches if watch.since <= before]
        for watch in old:
            try:
                watch.keep()
            except Exception:
                # A lease that cannot be renewed runs out: that is what it is for.
                logger.warning("leases were not renewed", exc_info=True)
                connection.close()


_keeper = _Keeper()


@contextmanager
def keeping(claims: Sequence[Claim], break_up: Callable[[], None]) -> Iterator[Watch]:
    """Keep the leases of `claims` inside the block, once it has lasted a third of a lease.

    Then `break_up` is called as well, in another thread, to give away what it keeps waiting.
    """
    watch = Watch(claims, break_up)
    if clock.is_virtual():
        # A test or a trial: no other process could take the claims, and the keeper's thread would
        # look for their rows through a connection of its own, perhaps to another database.
        yield watch
        return
    _keeper.add(watch)
    try:
        yield watch
    finally:
        _keeper.remove(watch)
