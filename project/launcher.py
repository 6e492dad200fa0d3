"""Starts what Celeriac needs on this machine, keeps it up, and stops it: Redis, worker, beat, web.

    with running(web=True) as system:
        print(system.url)
        system.wait()

A process that dies is started again: a worker whose pool was killed at once stops by itself, and
somebody has to start it. One launcher a `var/` folder: a second one is refused while it runs.
"""

import fcntl
import http.client
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import IO

import redis
from django.conf import settings

from project import embedded
from project.processes import Child, wait_until
from project.startup import ping_redis, require_database, require_servers
from project.supervisor import Supervisor
from workflows.errors import ConfigurationError

_CELERY = (sys.executable, "-m", "celery", "-A", "project.celery:app")
_QUIET = ("--loglevel", "WARNING")


@dataclass(slots=True)
class System:
    """The running processes; `inline` when there is no Redis and rows are worked off in process."""

    supervisor: Supervisor
    inline: bool
    url: str | None = None

    def require_up(self) -> None:
        """Raise ProcessFailedError when a process could not be kept up."""
        self.supervisor.require_up()

    def wait(self) -> None:
        """Return never: until Ctrl-C, SIGTERM, or a process that does not stay up."""
        self.supervisor.wait()


@contextmanager
def running(
    *, web: bool = False, port: int = 8000, workers: int = 1, concurrency: int | None = None
) -> Iterator[System]:
    """Run the system inside the block; all of it has stopped when the block is left.

    Args:
        web: also serve HTTP at 127.0.0.1:`port`.
        port: for `web`.
        workers: worker processes, each with its own pool, each serving all queues.
        concurrency: pool processes a worker; the setting CELERIAC_CONCURRENCY when left out.

    Raises:
        ConfigurationError: a server does not answer, the port is taken, or another launcher runs.
        ProcessFailedError: a process could not be started.
    """
    with _only_launcher(), _signals_as_interrupts():
        if web:
            _require_free_port(port)
        system = System(Supervisor(), inline=settings.CELERIAC["DISPATCHER"] == "inline")
        try:
            _start_all(system, _wanted(system, workers, concurrency or settings.CELERIAC["SLOTS"]))
            if web:
                _start_web(system, port)
            system.supervisor.watch()
            yield system
        finally:
            with _signals_ignored():
                system.supervisor.stop()


def _start_all(system: System, wanted: list[Child]) -> None:
    if settings.EMBEDDED_REDIS and not system.inline:
        _start_redis(system)
    if system.inline:
        require_database()
    else:
        require_servers()
    for child in wanted:
        system.supervisor.start(child)


def _wanted(system: System, workers: int, concurrency: int) -> list[Child]:
    if system.inline:
        return [_child("sweeper", sys.executable, "-m", "project.inline_beat")]
    found = [_worker(number, concurrency) for number in range(1, workers + 1)]
    return [*found, _beat()]


def _child(name: str, *command: str) -> Child:
    return Child(name, command, settings.VAR / "log" / f"{name}.log", settings.BASE_DIR)


def _worker(number: int, concurrency: int) -> Child:
    pool = ("--pool", "prefork", "--concurrency", str(concurrency))
    name = f"worker{number}"
    alone = ("--without-gossip", "--without-mingle", "--hostname", f"{name}@%h")
    return _child(name, *_CELERY, "worker", *pool, *alone, *_QUIET)


def _beat() -> Child:
    # It holds only when the next sweep is due: nothing worth keeping from last time.
    for old in settings.VAR.glob("beat-schedule*"):
        old.unlink()
    return _child("beat", *_CELERY, "beat", "--pidfile", "", *_QUIET)


def _start_redis(system: System) -> None:
    binary = embedded.find_redis_server()
    if binary is None:
        raise ConfigurationError(
            "There is no redis-server to be found; install one, set REDIS_URL,"
            " or set CELERIAC_DISPATCHER=inline"
        )
    _await_end_of_old_redis()
    embedded.prepare_socket(settings.REDIS_SOCKET)
    child = _child("redis", *embedded.redis_command(binary, settings.REDIS_SOCKET, settings.VAR))
    system.supervisor.start(child)
    wait_until(_redis_answers, seconds=10, child=child)


def _await_end_of_old_redis() -> None:
    """A Redis whose launcher was killed is on its way out, and takes the socket's file along."""
    pause = threading.Event()
    for _ in range(100):
        if not _redis_answers():
            return
        pause.wait(0.1)
    raise ConfigurationError(
        f"Another Redis listens on {settings.REDIS_SOCKET}; stop it, or set REDIS_URL to use it"
    )


def _redis_answers() -> bool:
    try:
        ping_redis(settings.REDIS)
    except (redis.RedisError, OSError):
        return False
    return True


def _start_web(system: System, port: int) -> None:
    command = (sys.executable, "-m", "gunicorn", "project.wsgi:application", "--no-control-socket")
    shape = ("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "8")
    child = _child("web", *command, *shape, "--log-level", "warning")
    system.supervisor.start(child)
    wait_until(lambda: _is_serving(port), seconds=60, child=child, every=0.1)
    system.url = f"http://127.0.0.1:{port}"


def _is_serving(port: int) -> bool:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        link.request("GET", "/admin/login/")
        return link.getresponse().status < 500  # a page that fails is not up
    except OSError:
        return False
    finally:
        link.close()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _require_free_port(port: int) -> None:
    if _is_open(port):
        raise ConfigurationError(
            f"Port {port} of 127.0.0.1 is taken by another program:"
            " stop it, or choose another port with `python -m project.up --port N`"
        )


@contextmanager
def _only_launcher() -> Iterator[None]:
    """Hold the lock of this `var/` folder; the kernel frees it however we end."""
    path = settings.VAR / "launcher.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _already_running(file) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _already_running(file: IO[str]) -> ConfigurationError:
    file.seek(0)
    return ConfigurationError(
        f"Celeriac already runs from {settings.VAR} (process {file.read().strip() or 'unknown'});"
        " stop it first, or set CELERIAC_VAR to another folder"
    )


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Let SIGTERM leave the block the way Ctrl-C does."""
    with _handling({signal.SIGTERM: _interrupt, signal.SIGHUP: _interrupt}):
        yield


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Let an impatient second Ctrl-C not break the orderly stop."""
    ignored = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    with _handling(dict.fromkeys(ignored, signal.SIG_IGN)):
        yield


@contextmanager
def _handling(handlers: dict[signal.Signals, "signal._HANDLER"]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and only it is interrupted
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(TypeError):  # a handler that Python did not set cannot be put back
                signal.signal(number, handler)
