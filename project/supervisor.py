"""Keeps child processes up: one that dies is started again, one that keeps dying is reported."""

import threading

from project.processes import Child, ProcessFailedError
from project.startup import MISCONFIGURED

_LOOK_EVERY = 0.2  # seconds between two looks at the children
_AT_ONCE = 3  # restarts of one child that come at once; the next wait, as a server may be down
_PAUSE = 25  # looks between restarts from then on
_RESTARTS = 20  # within the window; more is a fault, not an accident
_WINDOW = 600  # looks


class Supervisor:
    """A set of running children, watched by a thread until `stop`."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.failure: str | None = None
        self._lock = threading.Lock()  # a child is never started while, or after, all are stopped
        self._closing = threading.Event()
        self._closed = threading.Event()
        self._looks = 0
        self._restarts: dict[str, list[int]] = {}
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self, child: Child) -> None:
        """Start `child` and keep it up from `watch` on."""
        child.start()
        self.children.append(child)

    def watch(self) -> None:
        """Begin to start again what dies."""
        self._watcher.start()

    def require_up(self) -> None:
        """Raise ProcessFailedError when a child could not be kept up."""
        if self.failure:
            raise ProcessFailedError(self.failure)

    def wait(self) -> None:
        """Return never: until Ctrl-C, SIGTERM, or a child that does not stay up."""
        while not self._closing.wait(_LOOK_EVERY):
            self.require_up()

    def stop(self) -> None:
        """Stop every child, the last started first, and the watching."""
        with self._lock:
            self._closing.set()
        for child in reversed(self.children):
            child.stop()
        self._closed.set()
        if self._watcher.is_alive():
            self._watcher.join()

    def _watch(self) -> None:
        # The kernel signals a child when the thread that started it ends: this one outlives them.
        while not self._closed.wait(_LOOK_EVERY):
            self._looks += 1
            with self._lock:
                if not (self._closing.is_set() or self.failure):
                    self._restart_the_dead()

    def _restart_the_dead(self) -> None:
        for child in self.children:
            if not child.is_running():
                self._restart(child)

    def _restart(self, child: Child) -> None:
        recent = [at for at in self._restarts.get(child.name, []) if at > self._looks - _WINDOW]
        # A worker that finds its broker gone ends as one that is told a wrong address: if it has
        # been up before, the broker will be back.
        never_up = not recent and child.exit_code() == MISCONFIGURED
        if len(recent) >= _AT_ONCE and recent[-1] > self._looks - _PAUSE:
            return
        if never_up or len(recent) >= _RESTARTS:
            self.failure = f"{child.name} does not stay up: {child.last_words()}; see {child.log}"
            return
        self._restarts[child.name] = [*recent, self._looks]
        child.kill()  # what is left of its group, so that two pools never overlap
        child.start()
