"""Talks with a child process: feeds it, keeps what it says up to a limit, never waits for ever."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import IO, Any, Literal

Ending = Literal["exited", "timeout", "too_much", "unwanted"]

#: Seconds between two looks at whether the child is alive, and whether it is still wanted.
_TICK = 0.05
_ASK = 0.5
_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Talk:
    """What a child has said, and why the talk is over; only an `exited` child has ended itself."""

    ended: Ending
    out: bytes
    err: bytes


def converse(
    child: "subprocess.Popen[bytes]",
    given: bytes,
    *,
    seconds: float,
    most: int,
    goes_on: Callable[[], bool],
    keep_open: bool = False,
) -> Talk:
    """Give a child its input and listen until it has ended, or must be ended by the caller.

    Args:
        child: started with three pipes.
        given: what it reads.
        seconds: the time that it has.
        most: bytes of each of its two outputs that are kept; one more ends the talk.
        goes_on: asked now and then whether the child is still wanted.
        keep_open: leave its standard input open, so that its end tells the child to stop.
    """
    talk = _Talk(child, given, most, keep_open=keep_open)
    ends, asked = monotonic() + seconds, monotonic()
    ended: Ending | None = None
    while ended is None:
        now = monotonic()
        if now >= ends:
            ended = "timeout"
        elif now - asked >= _ASK and not goes_on():
            ended = "unwanted"
        else:
            asked = now if now - asked >= _ASK else asked
            ended = talk.step(min(_TICK, ends - now))
    return Talk(ended, bytes(talk.out), bytes(talk.err))


class _Talk:
    def __init__(
        self, child: "subprocess.Popen[bytes]", given: bytes, most: int, *, keep_open: bool
    ) -> None:
        assert child.stdin and child.stdout and child.stderr  # noqa: S101, PT018 - pipes
        self._child = child
        self._stdin: IO[bytes] = child.stdin
        self._rest = memoryview(given)
        self._keep_open = keep_open
        self._most = most
        self.out, self.err = bytearray(), bytearray()
        self._kept = {child.stdout.fileno(): self.out, child.stderr.fileno(): self.err}
        for pipe in (child.stdin, child.stdout, child.stderr):
            os.set_blocking(pipe.fileno(), False)

    def step(self, patience: float) -> Ending | None:
        """Listen for a moment, and return why the talk is over, if it is."""
        has_ended = self._child.poll() is not None
        writing = [self._stdin.fileno()] if self._rest else []
        self._close_stdin()
        wait = 0.0 if has_ended else patience
        readable, writable, _ = select.select(list(self._kept), writing, [], wait)
        for pipe in readable:
            self._read(pipe)
        if writable:
            self._write()
        if max(len(self.out), len(self.err)) > self._most:
            return "too_much"
        # What a child has left behind may hold its pipes open: the end of the child counts.
        return "exited" if has_ended and not readable else None

    def _read(self, pipe: int) -> None:
        with suppress(BlockingIOError):
            chunk = os.read(pipe, _CHUNK)
            self._kept[pipe] += chunk
            if not chunk:
                del self._kept[pipe]

    def _write(self) -> None:
        try:
            self._rest = self._rest[os.write(self._stdin.fileno(), self._rest[:_CHUNK]) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._rest = memoryview(b"")  # it does not want to read on, which is its own affair

    def _close_stdin(self) -> None:
        if not self._rest and not self._keep_open and not self._stdin.closed:
            with suppress(BrokenPipeError):
                self._stdin.close()


def end_group(child: "subprocess.Popen[bytes]", *, patience: float = 0.0) -> None:
    """End a child that leads a process group, with all of the group, and close its pipes.

    Args:
        child: may have ended already.
        patience: seconds that it has to end itself, once its standard input is closed.
    """
    if child.stdin is not None:
        with suppress(OSError):
            child.stdin.close()
    if patience and child.returncode is None:
        with suppress(subprocess.TimeoutExpired):
            child.wait(patience)
    if child.returncode != 0:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()


def frame(job: Any) -> bytes:
    """Return a job as `read_job` reads it from a standard input that stays open."""
    text = json.dumps(job, ensure_ascii=True, allow_nan=False).encode()
    return b"%d\n%s" % (len(text), text)


def read_job() -> Any:
    """Return the job that stands on standard input, and leave the rest of it unread."""
    size = b""
    while not size.endswith(b"\n"):
        size += os.read(0, 1)
    rest, text = int(size), bytearray()
    while rest:
        chunk = os.read(0, min(rest, _CHUNK))
        if not chunk:
            sys.exit("the job is cut off")
        text += chunk
        rest -= len(chunk)
    return json.loads(text)


def is_wanted() -> bool:
    """Tell, in a child, whether whoever gave it its job still holds the other end."""
    readable, _, _ = select.select([0], [], [], 0)
    return not readable
