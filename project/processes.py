"""Child processes that are started here, watched, and always stopped by their own process id.

Each is the head of its own process group, so that Ctrl-C reaches the launcher alone and a dead
worker's pool is found. The kernel ends a child whose launcher has died, so nothing stays behind.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from workflows.errors import CeleriacError

_PR_SET_PDEATHSIG = 1
_LARGEST_LOG = 10_000_000  # bytes; a larger one of last time is begun anew
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class ProcessFailedError(CeleriacError):
    """A process could not be started, or did not stay up."""

    code = "process_failed"
    status = 500


@dataclass(slots=True)
class Child:
    """One child process: what to run and where its output goes."""

    name: str
    command: Sequence[str]
    log: Path
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)  # on top of our own
    user: int | None = None  # user and group id to run as; only root can change it
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    _is_gone: bool = False  # its group too: the number may belong to a stranger by now

    @property
    def pid(self) -> int:
        """Its process id. Raises ProcessFailedError when it was never started."""
        if self.process is None:
            raise ProcessFailedError(f"{self.name} was not started")
        return self.process.pid

    def start(self) -> None:
        """Start it, or start it again."""
        self._is_gone = False
        with self._open_log() as output:
            self.process = subprocess.Popen(  # noqa: S603 - commands of our own making
                list(self.command),
                cwd=self.cwd,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
                # Only one C call; there is no other way to be told of the parent's death.
                preexec_fn=_follow_parent,  # noqa: PLW1509
            )

    def _open_log(self) -> IO[bytes]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        large = self.log.exists() and self.log.stat().st_size > _LARGEST_LOG
        return self.log.open("wb" if large else "ab")

    def exit_code(self) -> int | None:
        """Return None while it runs, else how it ended."""
        return None if self.process is None else self.process.poll()

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, patience: float = 20.0) -> None:
        """Ask it to stop, kill it after `patience` seconds, and leave nothing of its group."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
        self.kill()

    def kill(self) -> None:
        """End it and every process of its group at once (SIGKILL)."""
        if self.process is None or self._is_gone:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._is_gone = True

    def last_words(self) -> str:
        """Return the last line it wrote, for a message."""
        lines = (
            self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        )
        return lines[-1].strip() if lines else "it said nothing"


def _follow_parent() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until(
    ready: Callable[[], bool], *, seconds: float, child: Child, every: float = 0.02
) -> None:
    """Return when `ready()` holds.

    Raises:
        ProcessFailedError: `child` ended, or it did not become ready within `seconds`.
    """
    pause = threading.Event()
    for _ in range(max(1, int(seconds / every))):
        if ready():
            return
        if child.exit_code() is not None:
            message = f"{child.name} ended at once (exit code {child.exit_code()})"
            raise ProcessFailedError(f"{message}: {child.last_words()}; see {child.log}")
        pause.wait(every)
    raise ProcessFailedError(f"{child.name} was not ready after {seconds:g} s; see {child.log}")
