"""Looks whether the sandbox is one: says `isolated`, or on standard error what is open."""

import os
import socket
import sys
from pathlib import Path

from workflows.effects.inside.confine import give_up_root, limit
from workflows.effects.inside.talking import read_job

#: What a process without privileges has in a namespace of processes of its own.
_MOST_PROCESSES = 5


def main() -> None:
    """Say what must not be possible and is."""
    job = read_job()
    give_up_root(job["uid"])
    limit(job["limits"])
    faults = [fault for fault in (_network(), _processes(), _writing(), _environment()) if fault]
    if faults:
        sys.exit("; ".join(faults))
    os.write(1, b"isolated")


def _network() -> str:
    lines = Path("/proc/net/dev").read_text(encoding="ascii").splitlines()[2:]
    devices = {line.partition(":")[0].strip() for line in lines}
    if devices - {"lo"}:
        return "there is a network"
    try:
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()
    except OSError:
        return ""
    return "the filter of system calls is not in force"


def _processes() -> str:
    seen = [each for each in Path("/proc").iterdir() if each.name.isdigit()]
    return "" if len(seen) <= _MOST_PROCESSES else "processes of the machine can be seen"


def _writing() -> str:
    for folder in ("/", "/usr", "/etc", "/dev", "/celeriac"):
        try:
            Path(folder, "trial").write_text("", encoding="ascii")
        except OSError:
            continue
        return f"{folder} can be written to"
    return ""


def _environment() -> str:
    # bubblewrap and the interpreter set these two.
    return "there is an environment" if set(os.environ) - {"PWD", "LC_CTYPE"} else ""
