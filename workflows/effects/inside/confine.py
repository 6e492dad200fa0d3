"""Limits that a process puts on itself before it runs what others have written."""

import os
import resource
from collections.abc import Mapping

_MEGABYTE = 1024 * 1024
_FILES = 256


def give_up_root(uid: int | None) -> None:
    """Become a user that owns nothing; None stays who it is."""
    os.umask(0o077)
    if uid is None:
        return
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def limit(limits: Mapping[str, int | None]) -> None:
    """Set limits: `seconds` of the processor, `memory_mb`, `file_mb`, `processes` (None: none)."""
    memory, size = (limits["memory_mb"] or 0) * _MEGABYTE, (limits["file_mb"] or 0) * _MEGABYTE
    seconds = limits["seconds"] or 1
    _set(resource.RLIMIT_CPU, seconds, seconds + 1)
    _set(resource.RLIMIT_AS, memory, memory)
    _set(resource.RLIMIT_FSIZE, size, size)
    _set(resource.RLIMIT_NOFILE, _FILES, _FILES)
    _set(resource.RLIMIT_CORE, 0, 0)
    processes = limits["processes"]
    if processes is not None:
        _set(resource.RLIMIT_NPROC, processes, processes)


def _set(what: int, soft: int, hard: int) -> None:
    """Lower a limit; one that is lower already stays."""
    _, most = resource.getrlimit(what)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(what, (soft, hard))
