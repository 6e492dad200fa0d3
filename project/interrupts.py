"""Ctrl-C at any moment of a program: one word, exit code 130, and no traceback.

It needs nothing but the standard library, so that a program can begin with it.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130  # exit code
_SOON = 0.02  # seconds


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a program, and end the process with what it returns.

    Until `main` says otherwise with `raising`, the process leaves at once: while modules are
    loaded nothing is open that would have to be put in order, and what is being loaded may swallow
    an exception that Python raises in its middle. The same holds for Python's own end.
    """
    _listen(_leave)
    sys.unraisablehook = _unraisable
    code: int | None = INTERRUPTED
    try:
        code = main()
    except KeyboardInterrupt:
        _listen(_leave)
        sys.stderr.write("\nStopped.\n")
    finally:
        _listen(_leave)
    sys.exit(code)


@contextmanager
def raising() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt inside the block: there is something to put in order."""
    before = _listen(signal.default_int_handler)
    try:
        yield
    finally:
        if before is not None:
            _listen(before)


_Handler = Callable[[int, FrameType | None], object]


def _listen(
    handler: "_Handler | signal.Handlers | int",
) -> "_Handler | signal.Handlers | int | None":
    """Set what Ctrl-C does, and return what it did; None where that is not ours to say."""
    if threading.current_thread() is not threading.main_thread():
        return None
    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:  # started in the background: Ctrl-C is meant for another program
        return None
    signal.signal(signal.SIGINT, handler)
    return before


def _unraisable(found: "sys.UnraisableHookArgs") -> None:
    """Send Ctrl-C again that struck where Python passes over exceptions, such as in a finaliser.

    It would be lost, and the program go on as if nobody had pressed anything.
    """
    if found.exc_type is KeyboardInterrupt:
        again = threading.Timer(_SOON, os.kill, (os.getpid(), signal.SIGINT))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(found)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    os.write(2, b"\nStopped.\n")
    os._exit(INTERRUPTED)
