"""Runs the program of a `command` node in a folder of its own, and collects what it leaves."""

import base64
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from workflows.effects.inside.confine import give_up_root, limit
from workflows.effects.inside.talking import Talk, converse, end_group, is_wanted, read_job

_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_ROUNDS = 200


def main() -> None:
    """Run the job on standard input, and write its answer to standard output."""
    job = read_job()
    if job["uid"] is None and job["adopts"]:
        _control(_ADOPT_ORPHANS, 1)
    give_up_root(job["uid"])
    folder = Path(job["folder"])
    try:
        answer = _run(job, folder)
    finally:
        if job["adopts"]:
            shutil.rmtree(folder, ignore_errors=True)
    text = json.dumps(answer, ensure_ascii=True).encode()
    while text:
        text = text[os.write(1, text) :]


def _run(job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    os.chdir(folder)
    try:
        for name, content in job["files"].items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(content))
        child = _start(job)
    except (OSError, ValueError) as error:
        # ValueError: an argument with a NUL character.
        return {"refused": getattr(error, "strerror", None) or str(error)}
    try:
        given = base64.b64decode(job["stdin"])
        seconds, most = job["seconds"], job["most"]
        talk = converse(child, given, seconds=seconds, most=most, goes_on=is_wanted)
    finally:
        end_group(child)
        _end_others()
    files = {name: _read(folder, name, most) for name in job["outputs"]}
    return {**_told(talk, child.returncode), "files": files}


def _start(job: Mapping[str, Any]) -> "subprocess.Popen[bytes]":
    limits = job["limits"]

    def prepare() -> None:
        limit(limits)
        if job["adopts"]:  # else the sandbox ends with this process, and all in it
            _control(_DIE_WITH_PARENT, signal.SIGKILL)

    return subprocess.Popen(  # noqa: S603 - the settings name the programs
        job["command"],
        executable=job["program"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=job["env"],
        start_new_session=True,
        preexec_fn=prepare,  # noqa: PLW1509 - there is only one thread here
    )


def _told(talk: Talk, code: int) -> dict[str, Any]:
    return {
        "ended": talk.ended,
        "code": code,
        "out": base64.b64encode(talk.out).decode(),
        "err": base64.b64encode(talk.err).decode(),
    }


def _read(folder: Path, name: str, most: int) -> str | None:
    """Return a file in base64; None when it is not there, `too_much` when it is too large.

    Links are not followed, and only regular files are read: a program must not make this process
    read, or wait for, what it could not read itself.
    """
    try:
        if (folder / name).resolve() != folder.resolve() / name:
            return None
        opened = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        return None
    with os.fdopen(opened, "rb") as file:
        content = file.read(most + 1)
    return "too_much" if len(content) > most else base64.b64encode(content).decode()


def _control(what: int, value: int) -> None:
    """Change how the system treats this process.

    It becomes the parent of what loses its parent below here, so that it can be ended too; or it
    ends with its own parent, who would have ended it.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # noqa: PLC0415 - in the sandbox nothing needs it

    ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def _end_others() -> None:
    """End what the program has left running, whatever group it has put itself into."""
    for _ in range(_ROUNDS):
        for child in _children():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    me = os.getpid()
    try:
        return [int(pid) for pid in Path(f"/proc/{me}/task/{me}/children").read_text().split()]
    except OSError:
        return []
