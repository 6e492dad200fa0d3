"""The launcher as a process of its own: starts, mends and stops the system, and says no well."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from project.processes import Child, wait_until
from tests.support import places

ROOT = Path(__file__).resolve().parents[2]
_LAUNCH = """
import django; django.setup()
from project.launcher import running
with running(concurrency=1) as system:
    for child in system.supervisor.children:
        print(child.name, child.pid, flush=True)
    print("ready", flush=True)
    system.wait()
"""


def _environment(var: Path, **variables: str) -> dict[str, str]:
    embedded = {"REDIS_URL": "", "BROKER_URL": "", "DATABASE_URL": "", "CELERIAC_VAR": str(var)}
    shared = {"DJANGO_SETTINGS_MODULE": "project.settings", "CELERIAC_DISPATCHER": "celery"}
    return embedded | shared | variables


@pytest.fixture
def var() -> Path:
    # Not pytest's own folder: its path is too long for the socket to lie in it.
    folder = places.FOLDER / f"var-{os.urandom(4).hex()}"
    folder.mkdir()
    return folder


@pytest.fixture
def launched(var: Path) -> Iterator[Child]:
    command = [sys.executable, "-c", _LAUNCH]
    launcher = Child("launcher", command, var / "launcher.log", ROOT, _environment(var))
    launcher.start()
    try:
        wait_until(lambda: "ready" in _said(launcher), seconds=30, child=launcher)
        yield launcher
    finally:
        launcher.stop()


def _said(child: Child) -> str:
    return child.log.read_text() if child.log.exists() else ""


def _pids(launcher: Child) -> dict[str, int]:
    lines = [line.split() for line in _said(launcher).splitlines()]
    return {words[0]: int(words[1]) for words in lines if words[1:] and words[1].isdigit()}


def _is_alive(pid: int) -> bool:
    try:
        state = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.workers
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_of_it_stops_with_the_launcher(launched: Child, number: signal.Signals) -> None:
    pids = _pids(launched)
    assert set(pids) == {"redis", "worker1", "beat"}
    assert all(_is_alive(pid) for pid in pids.values())
    os.kill(launched.pid, number)
    assert launched.process is not None
    launched.process.wait(30)
    assert not any(_is_alive(pid) for pid in pids.values())


@pytest.mark.workers
def test_nothing_outlives_a_killed_launcher_or_is_in_the_way_of_the_next(
    launched: Child, var: Path
) -> None:
    before = _pids(launched)
    os.kill(launched.pid, signal.SIGKILL)
    assert launched.process is not None
    launched.process.wait(10)
    again = Child("again", launched.command, var / "again.log", ROOT, launched.environment)
    again.start()
    try:
        wait_until(lambda: "ready" in _said(again), seconds=30, child=again)
        wait_until(lambda: not any(map(_is_alive, before.values())), seconds=30, child=again)
    finally:
        again.stop()
    assert not any(map(_is_alive, _pids(again).values()))


@pytest.mark.workers
def test_a_second_launcher_is_refused_in_one_line(launched: Child, var: Path) -> None:
    done = _manage_up(_environment(var))
    assert done.returncode == 2
    expected = f"celeriac: Celeriac already runs from {var} (process {launched.pid}); stop it first"
    (line,) = done.stderr.splitlines()
    assert line.startswith(expected)


def _manage_up(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    code = (
        "from project.startup import stop_when_misconfigured\n"
        "with stop_when_misconfigured():\n"
        "    import django; django.setup()\n"
        "    from project.launcher import running\n"
        "    with running(): pass\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


_WRONG = [
    ("DATABASE_URL", "postgre://u:hidden@127.0.0.1/x", "did you mean 'postgres'"),
    (
        "DATABASE_URL",
        "postgresql://u:hidden@127.0.0.1:1/x",
        "cannot reach PostgreSQL at 127.0.0.1:1",
    ),
    ("DATABASE_URL", "sqlite:////nowhere/at/all.sqlite3", "cannot reach SQLite file /nowhere"),
    ("REDIS_URL", "redis://:hidden@127.0.0.1:1", "cannot reach Redis at 127.0.0.1:1"),
    ("BROKER_URL", "amqp://u:hidden@127.0.0.1:1//", "cannot reach RabbitMQ at 127.0.0.1:1"),
    ("BROKER_URL", "ampq://u:hidden@127.0.0.1:1//", "did you mean 'amqp'"),
]


@pytest.mark.parametrize(("variable", "url", "expected"), _WRONG)
def test_a_wrong_or_unreachable_server_is_one_line_and_exit_code_2(
    var: Path, variable: str, url: str, expected: str
) -> None:
    done = _manage_up(_environment(var, **{variable: url}))
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"celeriac: {variable}: ")
    assert expected in line
    assert "hidden" not in line


@pytest.mark.parametrize(
    "words", [("-m", "celery", "-A", "project.celery:app", "worker"), ("manage.py", "migrate")]
)
def test_worker_and_manage_py_say_the_same(var: Path, words: tuple[str, ...]) -> None:
    environment = _environment(var, DATABASE_URL="postgresql://u:hidden@127.0.0.1:1/x")
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("celeriac: DATABASE_URL: cannot reach PostgreSQL at 127.0.0.1:1")


@pytest.mark.workers
def test_without_redis_the_rows_are_swept_in_process(var: Path) -> None:
    environment = _environment(var, CELERIAC_DISPATCHER="inline")
    code = (
        "import django, threading; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0)\n"
        "from project.launcher import running\n"
        "with running() as system:\n"
        "    first = [(child.name, child.pid) for child in system.supervisor.children]\n"
        "    threading.Event().wait(3)\n"
        "    system.require_up()\n"
        "    assert [(child.name, child.pid) for child in system.supervisor.children] == first\n"
        "    print(*[name for name, _ in first])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["sweeper"]), done.stderr
