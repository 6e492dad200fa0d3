"""What hostile source tries in the sandbox, end to end, and what holds it."""

import os
import socket
import subprocess
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from pytest_django import Settings

from tests.support.assertions import assert_completed, assert_failed
from tests.support.builder import code, end, workflow
from tests.support.cancelling import cancel_when_asked
from tests.support.isolation import require_sandbox
from workflows.models import NodeExecution, Run
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def isolated(settings: Settings) -> Settings:
    require_sandbox()
    settings.CELERIAC = {**settings.CELERIAC, "CODE": "isolated"}
    return settings


def run(engine: Harness, source: str, data: dict[str, Any] | None = None, **fields: Any) -> Run:
    engine.publish(workflow("coded", code("work", source, next="end", **fields), end()))
    return engine.result(engine.run("coded", data))


def test_isolated_source_is_alone(engine: Harness, isolated: Settings) -> None:
    """Contract: `isolated` (own process, no network, no environment)"""
    source = """
import os
from pathlib import Path
context["pid"] = os.getpid()
context["user"] = os.getuid()
context["environment"] = sorted(os.environ)
context["processes"] = sum(each.name.isdigit() for each in Path("/proc").iterdir())
context["devices"] = Path("/proc/net/dev").read_text().count(":")
context["folders"] = sorted(os.listdir("/"))
context["home"] = sorted(os.listdir("."))
"""
    done = run(engine, source)
    assert_completed(done)
    seen = done.output
    assert seen["pid"] != os.getpid()
    assert seen["user"] != 0 or os.getuid() != 0
    assert seen["environment"] == ["LC_CTYPE", "PWD"]
    assert seen["processes"] <= 3
    assert seen["devices"] == 1  # loopback, which is its own
    assert not {"home", "var", "boot", "srv", "mnt"} & set(seen["folders"])
    assert seen["home"] == []


def test_isolated_source_reaches_no_server(engine: Harness, isolated: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        source = f"""
import socket
tried = {{}}
for host in ("127.0.0.1", "::1", "1.1.1.1", "169.254.169.254"):
    try:
        socket.create_connection((host, {port}), 1).close()
        tried[host] = "open"
    except OSError as error:
        tried[host] = "closed"
for family in ("AF_NETLINK", "AF_VSOCK", "AF_PACKET", "AF_ALG"):
    try:
        socket.socket(getattr(socket, family), socket.SOCK_DGRAM).close()
        tried[family] = "open"
    except OSError as error:
        tried[family] = "closed"
context["tried"] = tried
"""
        done = run(engine, source)
    assert_completed(done)
    assert set(done.output["tried"].values()) == {"closed"}


def test_isolated_source_cannot_read_the_project(
    engine: Harness, isolated: Settings, tmp_path: Path
) -> None:
    hidden = tmp_path / "hidden"
    hidden.write_text("secret")
    project = Path(__file__).resolve().parents[2]
    names = [
        str(hidden),
        str(project / "manage.py"),
        "/etc/passwd",
        "/etc/shadow",
        "/proc/1/environ",
    ]
    source = f"""
context["read"] = []
for name in {names!r}:
    try:
        open(name).read()
        context["read"].append(name)
    except OSError:
        pass
try:
    import django
    context["read"].append("django")
except ImportError:
    pass
try:
    import workflows.models
    context["read"].append("models")
except ImportError:
    pass
"""
    done = run(engine, source)
    assert_completed(done, {"read": []})


def test_isolated_source_cannot_write(engine: Harness, isolated: Settings, tmp_path: Path) -> None:
    source = f"""
context["written"] = []
for folder in ("", "/usr", "/etc", "/dev", "/dev/shm", "/celeriac", "{tmp_path}", "/tmp"):
    name = folder + "/x"
    try:
        open(name, "w").write("x")
        context["written"].append(name)
    except OSError:
        pass
"""
    done = run(engine, source)
    assert_completed(done, {"written": ["/tmp/x"]})  # noqa: S108 - the sandbox's own
    assert not (tmp_path / "x").exists()


def test_isolated_source_makes_no_namespaces(engine: Harness, isolated: Settings) -> None:
    source = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
calls = {
    "unshare": (272, 0x10000000), "clone": (56, 0x10000011), "clone3": (435, 0), "mount": (165,),
    "ptrace": (101, 0), "keyctl": (250, 0), "bpf": (321,), "io_uring": (425, 1),
    "memfd": (319, 0), "shmget": (29, 0, 4096, 0o1600), "setns": (308, 0),
    "userfaultfd": (323,), "perf": (298,), "x32": (0x40000000 + 39,),
}
context["open"] = [
    name for name, call in calls.items()
    if libc.syscall(*call) != -1 or ctypes.get_errno() not in (1, 38)
]
for what in (os.setuid, os.setgid):
    try:
        what(0)
        context["open"].append("root")
    except OSError:
        pass
"""
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers of the calls are those of x86-64")
    done = run(engine, source)
    assert_completed(done, {"open": []})


@pytest.mark.parametrize(
    ("source", "code_"),
    [
        ("while True: pass", "code_timeout"),
        ("import time\ntime.sleep(60)", "code_timeout"),
        ("await __import__('asyncio').sleep(60)", "code_timeout"),
        ("import signal\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
         "code_timeout"),
        ("x = 'a' * 10**9", "code_memory"),
        ("x = [0]\nwhile True: x = x + x", "code_memory"),
        ("import os\nos._exit(0)", "code_killed"),
        ("import os\nos.kill(os.getpid(), 9)", "code_killed"),
        ("import ctypes\nctypes.string_at(0)", "code_killed"),
        ("open('/work/x', 'wb').write(b'x' * 10**8)", "code_error"),
        ("import os\nwhile True: os.fork()", "code_output"),
        ("import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))", "code_error"),
    ],
)  # fmt: skip
def test_isolated_source_has_limits(
    engine: Harness, isolated: Settings, source: str, code_: str
) -> None:
    """Contract: `isolated` (limits on time and memory)"""
    assert_failed(run(engine, source, timeout="PT2S"), code_, "work")


def test_all_that_isolated_source_has_started_ends_with_it(
    engine: Harness, isolated: Settings
) -> None:
    before = _children()
    source = """
import os, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
context["n"] = 1
"""
    assert_completed(run(engine, source), {"n": 1})
    assert_failed(run(engine, source + "time.sleep(60)", timeout="PT1S"), "code_timeout")
    assert _children() == before


def _children() -> list[str]:
    """Return the processes below this one."""
    done = subprocess.run(
        ["/bin/ps", "--ppid", str(os.getpid()), "-o", "pid=,comm="],
        capture_output=True,
        text=True,
        check=False,
    )
    return sorted(line for line in done.stdout.splitlines() if not line.endswith("ps"))


def test_isolated_source_is_stopped_when_the_run_is_cancelled(
    engine: Harness, isolated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import time\ntime.sleep(600)"
    engine.publish(workflow("coded", code("work", source, timeout="PT5M"), end()))
    started = engine.start("coded")
    cancel_when_asked(monkeypatch, started)
    begin, before = monotonic(), _children()
    engine.drain()
    assert monotonic() - begin < 30
    assert engine.result(started).status == "cancelled"
    assert _children() == before
    assert not NodeExecution.objects.filter(run=started, node="work", status="failed").exists()


def test_what_isolated_source_prints_is_nobodys(
    engine: Harness, isolated: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    source = "import os\nprint('loud' * 100_000)\nos.write(1, b'loud')\nos.write(2, b'loud')"
    assert_completed(run(engine, source), {})
    assert "loud" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "said",
    [
        '{"error": 1}',
        '{"error": {"code": [1], "message": "x"}}',
        '{"error": {"code": "lost_work", "message": "x"}}',
        '{"error": {"code": "", "message": ""}}',
        "{}",
        "[1]",
        '{"context": [1]}',
    ],
)
def test_what_isolated_source_answers_for_its_process_is_looked_at(
    engine: Harness, isolated: Settings, said: str
) -> None:
    source = f"""
import os
for number in range(3, 20):
    try:
        os.write(number, {said.encode()!r})
    except OSError:
        pass
os._exit(0)
"""
    assert_failed(run(engine, source), "code_output", "work")
