"""Where this test run keeps everything: one folder of its own, removed at the end."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_LONGEST_FOLDER = 60  # a unix socket below it must stay within about 100 bytes


def _make_folder() -> Path:
    base = tempfile.gettempdir()
    if len(base) > _LONGEST_FOLDER:
        base = "/tmp"  # noqa: S108 - mkdtemp makes a folder of its own there
    folder = Path(tempfile.mkdtemp(prefix="celeriac-", dir=base))
    folder.chmod(0o755)  # PostgreSQL refuses root, and its user must get to its folder
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # not in a process that a test has forked
        shutil.rmtree(folder, ignore_errors=True)


FOLDER = _make_folder()
VAR = FOLDER / "var"
POSTGRES = FOLDER / "postgres"
REDIS_SOCKET = FOLDER / "redis.sock"
POSTGRES_URL = f"postgresql://celeriac@/celeriac?host={POSTGRES}"
SQLITE_URL = f"sqlite:///{FOLDER / 'celeriac.sqlite3'}"
REDIS_URL = f"unix://{REDIS_SOCKET}?db=0"


def point_project_at(database_url: str) -> None:
    """Set the environment that the project's settings read; nothing of the caller's is used."""
    for name in ("BROKER_URL", "SECRET_KEY", "DEBUG", "CELERIAC_QUEUES", "CELERIAC_CONCURRENCY"):
        os.environ.pop(name, None)
    os.environ.update(
        DATABASE_URL=database_url,
        REDIS_URL=REDIS_URL,
        CELERIAC_VAR=str(VAR),
        CELERIAC_DISPATCHER="inline",  # fixtures with real workers switch to Celery
        CELERIAC_MESSAGE_SECONDS="15",  # messages can be lost in tests, whatever carries them
    )
