"""A process of its own, by bubblewrap: no network, no environment, nothing to write to, limits.

Where the sandbox cannot be had there is none: nothing falls back to less.
"""

import os
import platform
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

from workflows.activities import ActivityError
from workflows.effects import inside
from workflows.effects.inside.talking import Talk, converse, end_group, frame
from workflows.effects.seccomp import filter_bytes, is_known_machine

PROGRAM = "bwrap"
#: Where the sandbox is entered, and the only folder that can be written to.
WORK = "/work"
_INSIDE = "/celeriac/workflows/effects/inside"
#: Since then a limit of processes counts those of one user namespace, not all of the user.
_COUNTS_BY_NAMESPACE = (5, 14)
_MOST_IDS = 2**31
_START = "import sys; sys.path.append('/celeriac'); from {} import main; main()"
_MODULE = "workflows.effects.inside."


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may use; each of its own processes for itself, but for `processes`."""

    seconds: float
    memory_mb: int
    file_mb: int
    processes: int | None


def run_inside(
    module: str,
    job: dict[str, Any],
    limits: Limits,
    *,
    most: int,
    goes_on: Callable[[], bool],
    folders: Sequence[str] = (),
) -> Talk:
    """Run the `main` of a module of `inside` in a sandbox and return what it has said.

    Args:
        module: its name.
        job: what it reads; its limits and its user are added.
        limits: of its processes; the sandbox as a whole ends with the time.
        most: bytes of output that are kept.
        goes_on: asked now and then whether the answer is still wanted.
        folders: what can be read beside /usr.

    Raises:
        ActivityError: `isolation_unavailable`: there is no sandbox to be had.
    """
    reason = problem()
    if reason:
        raise ActivityError("isolation_unavailable", reason)
    return _run(module, job, limits, most=most, goes_on=goes_on, folders=folders)


def _run(
    module: str,
    job: dict[str, Any],
    limits: Limits,
    *,
    most: int,
    goes_on: Callable[[], bool],
    folders: Sequence[str] = (),
) -> Talk:
    user = _throw_away_user()
    counted = limits.processes if user is not None or _counts_by_namespace() else None
    job = {**job, "uid": user, "limits": rlimits(limits, processes=counted)}
    rules = os.memfd_create("seccomp")
    try:
        os.write(rules, filter_bytes())
        os.lseek(rules, 0, os.SEEK_SET)
        words = _words(rules, limits.file_mb, folders, has_user=user is not None)
        child = subprocess.Popen(  # noqa: S603 - the words are our own
            [*words, _START.format(_MODULE + module)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            cwd="/",
            pass_fds=(rules,),
            start_new_session=True,
        )
    finally:
        os.close(rules)
    try:
        given = frame(job)
        return converse(
            child, given, seconds=limits.seconds, most=most, goes_on=goes_on, keep_open=True
        )
    finally:
        _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End a sandbox from the inside out, so that the one outside is there to bury the other."""
    if child.poll() is None:
        with suppress(OSError, subprocess.TimeoutExpired):
            below = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text(encoding="ascii")
            for pid in below.split():
                os.kill(int(pid), signal.SIGKILL)
            child.wait(1)
    end_group(child)


def rlimits(limits: Limits, *, processes: int | None) -> dict[str, int | None]:
    """Return limits as `confine.limit` takes them."""
    return {
        "seconds": ceil(limits.seconds),
        "memory_mb": limits.memory_mb,
        "file_mb": limits.file_mb,
        "processes": processes,
    }


def _words(rules: int, size_mb: int, folders: Sequence[str], *, has_user: bool) -> list[str]:
    """Return the command line, up to the text of the Python program to run."""
    bwrap = shutil.which(PROGRAM) or PROGRAM
    size = str(size_mb * 1024 * 1024)
    # As root, the program inside takes a user of its own; else it is alone in a user namespace.
    namespaces = ["ipc", "pid", "net", "uts", "cgroup-try"] if has_user else ["all"]
    capabilities = ["--cap-drop", "ALL"]
    if has_user:
        capabilities += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return [
        *(bwrap, "--die-with-parent", "--new-session", "--clearenv"),
        *(f"--unshare-{name}" for name in namespaces),
        *capabilities,
        *("--hostname", "sandbox", "--seccomp", str(rules)),
        *_system(),
        *_shown(str(Path(inside.__file__).parent), _INSIDE),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--perms", "1777", "--size", size, "--tmpfs", WORK),
        *("--perms", "1777", "--size", size, "--tmpfs", "/tmp"),  # noqa: S108 - the sandbox's own
        *(word for folder in folders for word in _shown(folder, folder)),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK),
        *("--", _python(), "-I", "-S", "-B", "-c"),
    ]


@cache
def _system() -> tuple[str, ...]:
    """Return the words that show the system's programs, and no more, read-only."""
    words = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/") / name
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    for name in ("/etc/ld.so.cache", "/etc/alternatives"):
        words += ["--ro-bind-try", name, name]
    home = Path(_python()).parent.parent
    if not home.is_relative_to("/usr"):
        words += _shown(str(home), str(home))
    for folder in home.glob("lib/python3*/site-packages"):
        words += ["--tmpfs", str(folder)]  # what is installed is the project's, not the source's
    return tuple(words)


def _shown(folder: str, place: str) -> list[str]:
    """Return the words that show a folder, read-only, at a place that every user can get to."""
    above = [str(each) for each in reversed(Path(place).parents)][1:]
    made = [word for each in above for word in ("--perms", "0755", "--dir", each)]
    return [*made, "--ro-bind", folder, place]


@cache
def _python() -> str:
    """Return the interpreter itself, not the one of a virtual environment."""
    return str(Path(sys.base_exec_prefix, "bin", Path(sys.executable).name).resolve())


def _throw_away_user() -> int | None:
    """Return the id of a user that owns nothing, if this process is root and can hand one out."""
    if os.geteuid() != 0:
        return None
    first, _, count = Path("/proc/self/uid_map").read_text(encoding="ascii").split()[:3]
    most = min(int(count), _MOST_IDS)
    if first != "0" or most < 65536:
        return None
    return random.randrange(most // 2, most - 2)  # noqa: S311 - any that nobody has does


def _counts_by_namespace() -> bool:
    major, _, rest = platform.release().partition(".")
    return (int(major), int(rest.partition(".")[0])) >= _COUNTS_BY_NAMESPACE


@cache
def problem() -> str:
    """Return why there is no sandbox on this machine; nothing when there is one.

    It is tried once a process: a sandbox is started, and looks around for what must not be there.
    """
    if not sys.platform.startswith("linux") or not is_known_machine():
        return f"Isolation needs Linux on x86-64 or ARM64, not {sys.platform} {platform.machine()}."
    if shutil.which(PROGRAM) is None:
        return "Isolation needs bubblewrap: install it (`apt-get install bubblewrap`)."
    limits = Limits(seconds=10, memory_mb=256, file_mb=1, processes=16)
    talk = _run("look_around", {}, limits, most=10_000, goes_on=lambda: True)
    if talk.ended == "exited" and talk.out == b"isolated":
        return ""
    with suppress(ValueError):
        said = (talk.err or talk.out).decode().strip().splitlines() or [talk.ended]
        return f"The sandbox does not hold on this machine: {said[-1][:300]}"
    return "The sandbox does not hold on this machine."
