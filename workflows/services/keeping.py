"""Keeps the leases of long work: a thread in each worker process renews what is really held."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from django.db import connection

from workflows import clock, conf
from workflows.activities import Activity
from workflows.store import leases
from workflows.store.rows import Claim

logger = logging.getLogger("workflows.keeping")


class Call:
    """An activity under way, and until when it counts as alive."""

    def __init__(self, activity: Activity, seconds: float) -> None:
        self._ends = monotonic() + seconds + 1
        self._longest = activity.heartbeat.total_seconds() if activity.heartbeat else None
        self._beaten = monotonic()

    def beat(self) -> None:
        """Take a heartbeat."""
        self._beaten = monotonic()

    def quiet(self) -> float:
        """Return for how many seconds it has not beaten."""
        return monotonic() - self._beaten

    def is_alive(self) -> bool:
        if monotonic() > self._ends:
            return False
        return self._longest is None or self.quiet() <= self._longest


class Watch:
    """The claims in hand, and whether the work on them counts as alive."""

    def __init__(self, claims: Sequence[Claim], break_up: Callable[[], None]) -> None:
        self.claims = claims
        self.break_up = break_up
        self.since = monotonic()
        self._call: Call | None = None

    @contextmanager
    def calling(self, activity: Activity, seconds: float) -> Iterator[Call]:
        """Mark the time in which an activity runs: once it counts as dead nothing is renewed.

        A thread that it leaves behind beats for this call, and for no later one.
        """
        self._call = Call(activity, seconds)
        try:
            yield self._call
        finally:
            self._call = None

    def keep(self) -> None:
        """Let go of what work that takes long keeps waiting; renew its lease, or end it."""
        self.break_up()
        call = self._call
        if call is None or call.is_alive():
            self.claims = leases.renew(self.claims)
        else:
            # It could not be broken off: somebody else is to begin again, without its lease's rest.
            leases.let_go(self.claims)


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
