"""A mistyped environment variable is one line that names it, at every start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from project.environment import Environment
from workflows import conf
from workflows.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[3]
MANAGE = ("manage.py", "workflow", "list")
WORKER = ("-m", "celery", "-A", "project.celery:app", "worker")
DEMO = ("-m", "examples.dependency_review.demo")


def started(var: Path, words: tuple[str, ...], **given: str) -> tuple[int, str]:
    """Start a process with these variables; return its exit code and the one line it says."""
    environment = {**os.environ, "CELERIAC_VAR": str(var), **given}
    environment["DJANGO_SETTINGS_MODULE"] = "project.settings"
    command = [sys.executable, *words]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    (line,) = done.stderr.splitlines()
    return done.returncode, line


@pytest.mark.parametrize("words", [MANAGE, WORKER, DEMO])
def test_a_variable_that_cannot_be_read_stops_every_start(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    code, line = started(tmp_path, words, CELERIAC_QUEUES="{bad")
    assert code == 2
    assert line.startswith("celeriac: CELERIAC_QUEUES: no JSON: ")


@pytest.mark.parametrize("words", [MANAGE, WORKER, DEMO])
def test_an_unknown_field_of_a_queue_stops_every_start(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    code, line = started(tmp_path, words, CELERIAC_QUEUES='{"mail": {"rat": "1/s"}}')
    assert code == 2
    assert "CELERIAC_QUEUES" in line
    assert "queue 'mail': unknown field 'rat' (did you mean 'rate'?)" in line


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("CELERIAC_CONCURRENCY", "x", "'x' is not a whole number"),
        ("CELERIAC_CONCURRENCY", "0", "0 is less than 1"),
        ("CELERIAC_LEASE_SECONDS", "long", "'long' is not a number"),
        ("CELERIAC_DISPATCHER", "foo", "'foo' is none of celery, inline"),
        ("LOG_LEVEL", "LOUD", "'LOUD' is none of CRITICAL"),
        ("EMAIL_URL", "pigeon://post", "no address with one of "),
    ],
)
def test_a_wrong_value_names_its_variable(
    tmp_path: Path, variable: str, value: str, told: str
) -> None:
    code, line = started(tmp_path, MANAGE, **{variable: value})
    assert code == 2
    assert line.startswith(f"celeriac: {variable}: {told}")


def test_what_is_right_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N", "3")
    monkeypatch.setenv("WORD", "two")
    env = Environment()
    assert env.at_least("N", 1, default=2) == 3
    assert env.at_least("ABSENT", 1, default=2) == 2
    assert env.choice("WORD", default="one", known=("one", "two")) == "two"
    assert env.json("ABSENT", default={"a": 1}) == {"a": 1}


@pytest.mark.parametrize(
    ("queues", "told"),
    [
        (["mail"], "not an object"),
        ({"mail": 3}, "queue 'mail': its limits are not an object"),
        ({"mail": {"burst": "x"}}, "queue 'mail': burst 'x' is not a whole number from 1"),
        ({"mail": {"concurrency": 0}}, "queue 'mail': concurrency 0 is not a whole number"),
        ({"mail": {"rate": "fast"}}, "queue 'mail': rate 'fast' is not like"),
    ],
)
def test_limits_of_a_queue_that_make_no_sense_are_refused(
    queues: object, told: str, settings: object
) -> None:
    settings.CELERIAC = {"QUEUES": queues}  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError) as caught:
        conf.settings()
    assert caught.value.message.startswith("CELERIAC_QUEUES")
    assert told in caught.value.message
