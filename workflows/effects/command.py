"""The activity of `command` nodes: runs a program in a folder that is thrown away."""

import base64
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workflows import conf
from workflows.activities import ActivityContext, ActivityError, NonRetryableError, activity
from workflows.effects.inside.talking import Talk, converse, end_group, frame
from workflows.effects.limits import clearing, own_seconds
from workflows.effects.sandbox import WORK, Limits, rlimits, run_inside

#: Where programs are looked for; the worker's own PATH is not passed on.
PATH = "/usr/local/bin:/usr/bin:/bin"
#: What a shell text needs to be allowed.
SHELL = "sh"
_LAST_WORDS = 200
#: Seconds for the process that watches over the program to clear up after it.
_CLEARING = 3.0
_PROJECT = Path(__file__).resolve().parents[2]


@activity("command", internal=True, grace=clearing)
def command(  # noqa: PLR0913 - the fields of a node
    *,
    words: list[str],
    is_shell: bool,
    stdin: str,
    files: dict[str, str],
    outputs: list[str],
    env: dict[str, str],
    expect: list[int],
    seconds: float | None,
    call: ActivityContext,
) -> dict[str, Any]:
    """Run a program and return `{exit_code, stdout, stderr, files}`.

    Raises:
        ActivityError: `command_failed` for an exit code that `expect` does not name,
            `command_timeout`, `command_killed`, `command_output` (it has said or written too much),
            `command_refused` (a program that the settings do not name, or that cannot be started),
            `command_off`, `isolation_unavailable`.
    """
    settings = conf.settings()
    if settings.command == "off":
        message = f"{conf.COMMAND} is 'off': no `command` node is run."
        raise NonRetryableError("command_off", message)
    limits = Limits(
        seconds=own_seconds(seconds, settings.command_seconds),
        memory_mb=settings.command_memory_mb,
        file_mb=settings.sandbox_file_mb,
        processes=settings.sandbox_processes,
    )
    job = {
        "command": [SHELL, "-c", *words] if is_shell else words,
        "program": program_of(SHELL if is_shell else words[0]),
        "stdin": _packed(stdin),
        "files": {name: _packed(content) for name, content in files.items()},
        "outputs": outputs,
        "env": {"PATH": PATH, "LANG": "C.UTF-8", **env},
        "seconds": limits.seconds,
        "most": settings.captured_bytes,
    }
    run = _isolated if settings.command == "isolated" else _in_folder
    return _result(run(job, limits, call.is_wanted), limits, expect)


def program_of(name: str) -> str:
    """Return the path of a program that the settings name. Raises NonRetryableError."""
    if name not in conf.settings().command_programs:
        message = f"{conf.COMMAND_PROGRAMS} does not name this program."
        raise NonRetryableError("command_refused", message)
    found = shutil.which(name, path=PATH)
    if found is None:
        raise NonRetryableError("command_refused", f"There is no program {name!r} on this machine.")
    return found


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _isolated(job: dict[str, Any], limits: Limits, goes_on: Callable[[], bool]) -> Talk:
    """Run the job in a sandbox, whose folder is gone with it."""
    made = {**job, "folder": WORK, "adopts": False}
    made["env"] = {"HOME": WORK, "TMPDIR": "/tmp", **job["env"]}  # noqa: S108 - the sandbox's own
    # Its processor time ends with the program's, its life a moment later: it has to tell of it.
    outer = Limits(limits.seconds + _CLEARING, limits.memory_mb, limits.file_mb, limits.processes)
    folders = conf.settings().command_folders
    return run_inside("run_program", made, outer, most=_most(), goes_on=goes_on, folders=folders)


def _in_folder(job: dict[str, Any], limits: Limits, goes_on: Callable[[], bool]) -> Talk:
    """Run the job as this user, under the eyes of a process that ends all that it leaves."""
    folder = tempfile.mkdtemp(prefix="celeriac-")
    made = {**job, "folder": folder, "adopts": True, "uid": None}
    made["env"] = {"HOME": folder, "TMPDIR": folder, **job["env"]}
    # The other processes of this user count too, so their number cannot be limited here.
    made["limits"] = rlimits(limits, processes=None)
    text = f"import sys; sys.path.append({str(_PROJECT)!r}); "
    text += "from workflows.effects.inside.run_program import main; main()"
    try:
        child = subprocess.Popen(  # noqa: S603 - the words are our own
            [sys.executable, "-I", "-S", "-B", "-c", text],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            cwd="/",
            start_new_session=True,
        )
        seconds = limits.seconds + _CLEARING
        try:
            return converse(
                child, frame(made), seconds=seconds, most=_most(), goes_on=goes_on, keep_open=True
            )
        finally:
            end_group(child, patience=_CLEARING)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _most() -> int:
    return conf.settings().max_value_bytes * 2  # base64 takes a third more than what it packs


def _result(talk: Talk, limits: Limits, expect: list[int]) -> dict[str, Any]:
    answer = _answer(talk)
    if "refused" in answer:
        raise NonRetryableError("command_refused", f"It cannot be started: {answer['refused']}.")
    if answer["ended"] == "timeout":
        message = f"It ran longer than {limits.seconds:g} s."
        raise ActivityError("command_timeout", message)
    if answer["ended"] == "too_much":
        raise NonRetryableError("command_output", "It has said more than may be kept.")
    files = {name: _unpacked_file(name, content) for name, content in answer["files"].items()}
    said, complained = _text(answer["out"]), _text(answer["err"])
    code = answer["code"]
    if code < 0:
        raise ActivityError("command_killed", f"Signal {_signal(-code)} has ended it.")
    if code not in expect:
        last = complained.strip().rpartition("\n")[2][-_LAST_WORDS:]
        message = f"It ended with exit code {code}"
        raise ActivityError("command_failed", f"{message}: {last}" if last else f"{message}.")
    return {"exit_code": code, "stdout": said, "stderr": complained, "files": files}


def _answer(talk: Talk) -> dict[str, Any]:
    if talk.ended == "too_much":
        raise NonRetryableError("command_output", "It has left more than may be kept.")
    if talk.ended == "unwanted":
        raise ActivityError("unwanted", "The run was stopped meanwhile.")
    if talk.ended == "timeout":
        return {"ended": "timeout"}
    try:
        return dict(json.loads(talk.out))
    except ValueError:
        reason = talk.err.decode(errors="replace").strip().rpartition("\n")[2]
        message = f"What watches over it has ended without an answer. {reason}".strip()
        raise ActivityError("command_killed", message) from None


def _unpacked_file(name: str, content: str | None) -> Any:
    """Return a file as text, as `{base64: ...}` when it is none, or null when it is not there."""
    if content is None:
        return None
    if content == "too_much":
        raise NonRetryableError("command_output", f"The file {name!r} is larger than may be kept.")
    try:
        text = base64.b64decode(content).decode()
    except UnicodeDecodeError:
        return {"base64": content}
    return {"base64": content} if "\0" in text else text


def _text(packed: str) -> str:
    return (
        base64.b64decode(packed).decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    )


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
