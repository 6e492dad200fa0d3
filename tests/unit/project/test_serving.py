"""What the launcher tells those who are new here."""

import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest

from project import launcher, serving
from project.people import Person
from workflows.errors import ConfigurationError


def test_the_welcome_names_pages_that_exist_and_who_decides(
    capsys: pytest.CaptureFixture[str],
) -> None:
    people = {
        person.name: person for person in [Person("lena", "legal", "a"), Person("admin", "", "b")]
    }
    system = cast("Any", SimpleNamespace(url="http://127.0.0.1:8000", inline=False))
    run = cast("Any", SimpleNamespace(pk="0198"))
    serving._announce(system, people, run)
    said = capsys.readouterr().out
    assert "http://127.0.0.1:8000/api/v1/docs/\n" in said
    assert "in group legal" in said
    assert "may do everything but decide: that takes membership of the group" in said


def test_a_taken_port_says_how_to_choose_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=r"python -m project\.up --port N") as refusal:
            launcher._require_free_port(port)
    assert str(port) in refusal.value.message
