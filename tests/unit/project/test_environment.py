"""A mistyped environment variable is one line that names it, at every start."""

import math
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from project.checks import check_environment
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
        ("CELERIAC_LEASE_SECONDS", "", "'' is not a number"),
        ("CELERIAC_LEASE_SECONDS", "$NOWHERE", "what begins with $ names another variable"),
        ("CELERIAC_KEY_PREFIX", "\udcff", "not UTF-8 text"),
        ("DEBUG", "ture", "'ture' is none of true, yes"),
        ("CELERIAC_HTTPS", "2", "'2' is none of true, yes"),
        ("CELERIAC_EXAMPLES", "maybe", "'maybe' is none of true, yes"),
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


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        *(("CELERIAC_LEASE_SECONDS", value) for value in ("-1", "nan", "1e300", "86401")),
        *(("CELERIAC_MESSAGE_SECONDS", value) for value in ("inf", "-inf")),
    ],
)
def test_seconds_that_no_clock_can_count(tmp_path: Path, variable: str, value: str) -> None:
    code, line = started(tmp_path, MANAGE, **{variable: value})
    assert code == 2
    setting = variable.removeprefix("CELERIAC_")
    assert line.startswith(f"celeriac: {variable} (CELERIAC['{setting}']): {float(value)} is not")


@pytest.mark.parametrize("words", [MANAGE, WORKER, DEMO])
def test_more_processes_than_a_machine_can_have(tmp_path: Path, words: tuple[str, ...]) -> None:
    code, line = started(tmp_path, words, CELERIAC_CONCURRENCY="1" * 30)
    assert code == 2
    assert "CELERIAC_CONCURRENCY (CELERIAC['SLOTS'])" in line
    assert "is not a whole number from 1 to 1,000." in line


@pytest.mark.parametrize("kept", [b"", b"\xff", None])
def test_a_secret_key_that_is_of_no_use(tmp_path: Path, kept: bytes | None) -> None:
    path = tmp_path / "secret_key"
    if kept is None:
        path.mkdir()
    else:
        path.write_bytes(kept)
    code, line = started(tmp_path, MANAGE, SECRET_KEY="")
    assert code == 2
    assert line.startswith(f"celeriac: CELERIAC_VAR: {path} is of no use: ")


def test_words_for_on_and_off(monkeypatch: pytest.MonkeyPatch) -> None:
    env = Environment()
    for word, is_on in {"TRUE": True, " on ": True, "1": True, "No": False, "": False}.items():
        monkeypatch.setenv("SWITCH", word)
        assert env.bool("SWITCH", default=not is_on) is is_on
    monkeypatch.delenv("SWITCH")
    assert env.bool("SWITCH", default=True) is True


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
        ({"mail": {"rate": f"{'9' * 400}/s"}}, "queue 'mail': rate '999"),
        ({"mail": {"rate": "0.00000000001/h"}}, "queue 'mail': rate"),
        ({"mail": {"rate": "1/h", "burst": 10**5}}, "takes more than a year"),
        ({"mail": {"burst": 10**30}}, "queue 'mail': burst 1000"),
        ({"mail": {"concurrency": True}}, "concurrency True is not a whole number"),
        ({"": {}}, "queue '': a name has 1 to 80"),
        ({"a\0": {}}, "a name has 1 to 80"),
        ({"\ud800": {}}, "a name has 1 to 80"),
        ({"q" * 81: {}}, "a name has 1 to 80"),
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
    caught.value.message.encode()


NUMBERS = [item for item in fields(conf.Settings) if item.type in {int, float}]


@pytest.mark.parametrize("item", NUMBERS, ids=lambda item: item.name)
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "1", None, True, 10**40], ids=repr)
def test_every_number_has_bounds(item: Any, value: object, settings: Any) -> None:
    name = item.name.upper()
    settings.CELERIAC = {name: item.default}
    assert getattr(conf.settings(), item.name) == item.default
    settings.CELERIAC = {name: value}
    with pytest.raises(ConfigurationError) as caught:
        conf.settings()
    assert f"CELERIAC['{name}']" in caught.value.message
    assert "number from" in caught.value.message


@pytest.mark.parametrize("queue", ["", None, 3, "a\0", "q" * 81])
def test_a_default_queue_that_is_no_name(queue: object, settings: Any) -> None:
    settings.CELERIAC = {"DEFAULT_QUEUE": queue}
    with pytest.raises(ConfigurationError, match="DEFAULT_QUEUE"):
        conf.settings()


def test_a_misspelt_variable_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"CELERIAC_CONCURENCY", "CELERIAC_TEST_ORDERS", "CELERIAC_CODE"}
    monkeypatch.setattr(Environment, "ENVIRON", dict.fromkeys(names, "3"))
    (warning,) = check_environment()
    assert warning.id == "project.W001"
    near = "CELERIAC_CONCURENCY, which nothing reads (did you mean 'CELERIAC_CONCURRENCY'?)"
    assert near in warning.msg
