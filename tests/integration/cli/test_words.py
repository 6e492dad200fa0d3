"""What a person types: verbs by their names, words that are no text, help where it is wanted."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from tests.integration.cli.calling import call, called_badly
from tests.integration.cli.conftest import REFUND, Write
from workflows.management.answers import Answer
from workflows.management.verbs import verbs
from workflows.models import Run
from workflows.testing import Harness

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db(transaction=True)


def test_without_a_verb_each_is_listed_with_one_line() -> None:
    said = call()
    assert said.code == 0
    first, *lines = said.out.strip().splitlines()
    assert first == "Verbs, each of which has --help:"
    assert [line.split(maxsplit=1) for line in lines] == [
        [name, verb.HELP] for name, verb in verbs().items()
    ]


def test_a_mistyped_verb_is_answered_with_the_nearest() -> None:
    told = called_badly("strat")
    assert "'strat' is no verb (did you mean 'start'?)" in told
    assert "it can be answer, cancel" in told
    assert "did you mean" not in called_badly("\udcff")


def test_a_mistyped_option_is_answered_with_the_nearest() -> None:
    assert "--imput {} (did you mean '--input'?)" in called_badly("start", "a", "--imput", "{}")


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("list", "--status", "compelted"), "'completed'"),
        (("secret", "lst"), "'list'"),
        (("send-event", "a", "--deliver", "al"), "'all'"),
    ],
)
def test_a_mistyped_choice_is_answered_with_the_nearest(words: tuple[str, ...], near: str) -> None:
    assert f"(did you mean {near}?)" in called_badly(*words)


def test_options_may_stand_before_the_verb(transactional_db: None) -> None:
    said = call("--no-color", "-v", "0", "list", "--limit", "3")
    assert (said.code, "There are no such runs" in said.out) == (0, True)


@pytest.mark.parametrize(
    "words",
    [
        ("start", "caf\udcff"),
        ("start", "refund", "--key", "\udcff\udcfe"),
        ("start", "refund", "--input", '{"a": "\udcff"}'),
        ("cancel", "x", "--reason", "\udcff"),
        ("list", "--workflow", "\udcff"),
        ("send-event", "\udcff"),
        ("show", "\udcff"),
        ("validate", "\udcff.yaml"),
        ("try", "\udcff.yaml"),
        ("answer", "x", "--as", "\udcff"),
    ],
)
def test_words_that_are_no_text(transactional_db: None, words: tuple[str, ...]) -> None:
    said = call(*words)
    assert said.code == 2
    assert said.err.startswith("The argument '")
    assert "\\xff" in said.err
    assert f"`manage.py workflow {words[0]} --help`" in said.err
    said.err.encode()
    as_json = call(*words, "--json")
    assert (as_json.code, as_json.json["error"]["code"]) == (2, "usage")


@pytest.fixture
def ended(engine: Harness, write: Write, people: dict[str, User]) -> list[Run]:
    """A run that is fine and an hour old, one that was blocked, and one that waits."""
    call("publish", write(REFUND), "--as", "alice")
    call("publish", write({**REFUND, "title": "Refund twice"}))
    call("start", "refund", "--input", '{"amount": 1}')
    engine.jump(hours=1)
    call("start", "refund", "--input", '{"amount": 600}')
    engine.drain()
    (asks,) = Run.objects.filter(status="suspended")
    words = ("--decision", "reject", "--comment", "No.", "--as", "lena")
    call("answer", str(asks.pk), *words)
    engine.drain()
    call("start", "refund", "--input", '{"amount": 700}')
    engine.jump(seconds=5)
    return list(Run.objects.order_by("created_at"))


def test_the_list_tells_ok_from_blocked_and_how_old(ended: list[Run]) -> None:
    rows = {line.split()[0]: line for line in call("list").out.splitlines()}
    fine, blocked, waits = (rows[str(run.pk)] for run in ended)
    assert "completed (ok)" in fine
    assert " 1 h " in fine
    assert "completed (blocked)" in blocked
    assert " 5 s " in blocked
    assert "suspended " in waits
    assert "(" not in waits


def test_the_workflows_and_their_versions_are_listed(ended: list[Run]) -> None:
    drawn = call("list", "--workflows")
    assert "refund" in drawn.out
    (told,) = call("list", "--workflows", "--json").json["workflows"]
    assert (told["name"], told["title"], told["latest"]) == ("refund", "Refund twice", 2)
    assert told["title"] in drawn.out
    listed = call("list", "--versions", "--workflow", "refund", "--json").json["versions"]
    assert [(each["number"], each["published_by"]) for each in listed] == [(2, None), (1, "alice")]
    assert "v1" in call("list", "--versions", "--workflow", "refund").out


def test_lists_that_make_no_sense(transactional_db: None) -> None:
    assert "--versions --workflow NAME" in call("list", "--versions").err
    assert "There is no workflow 'a'" in call("list", "--workflows", "--workflow", "a").err
    assert "There is no workflow 'a'" in call("list", "--versions", "--workflow", "a").err
    assert "not allowed with" in called_badly("list", "--versions", "--status", "failed")
    assert "Publish one" in call("list", "--workflows").out


@pytest.mark.parametrize("moment", ["run", "draw"])
def test_ctrl_c_while_a_verb_works(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    listener = signal.getsignal(signal.SIGINT)

    def strike(*_given: Any) -> Any:
        if moment == "draw":
            return Answer({}, lambda _: signal.raise_signal(signal.SIGINT))
        return signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(verbs()["list"], "run", strike)
    said = call("list")
    assert (said.code, said.err) == (130, "Stopped.\n")
    assert signal.getsignal(signal.SIGINT) is listener


def typed(tmp_path: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Call `manage.py workflow` as a process of its own, which needs no database."""
    definition = tmp_path / "a.yaml"
    begin = "{id: start, type: start, next: done}"
    last = '{id: done, type: end, result: blocked, reason: "é☃"}'
    definition.write_text(f"workflow: a\nnodes: [{begin}, {last}]\n")
    command = [sys.executable, "manage.py", "workflow", "try", str(definition), *words]
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    environment = {**os.environ, **ascii_only, "CELERIAC_VAR": str(tmp_path)}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
        **options,
    )


def test_letters_that_a_terminal_does_not_know(tmp_path: Path) -> None:
    drawn = typed(tmp_path, stdout=subprocess.PIPE)
    assert (drawn.returncode, drawn.stderr) == (0, b"")
    assert rb"\xe9\u2603" in drawn.stdout
    told = typed(tmp_path, "--json", stdout=subprocess.PIPE)
    assert json.loads(told.stdout.decode("ascii"))["reason"] == "é☃"


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = typed(tmp_path, "--json", stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--workflow=a\0b"),
        ("cancel", str(uuid4()), "--as=a\0b"),
        ("change-group", str(uuid4()), "a\0b", "--parallel=1"),
        ("secret", "delete", "a\0b"),
    ],
)
def test_a_program_that_hands_on_nuls_is_told(words: tuple[str, ...]) -> None:
    """No shell can, but `call_command` does."""
    said = call(*words)
    assert said.code == 2
    assert "a\\x00b" in said.err
    assert "NUL" in said.err
