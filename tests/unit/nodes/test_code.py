import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.nodes.bench import Node, node
from workflows.nodes.outcomes import Continue, Suspend
from workflows.nodes.suspensions import ActivityCall, Resolution


def code(source: str, **fields: Any) -> Node:
    return node("code", source=source, **fields)


def test_it_asks_for_the_run_of_its_source_on_the_context() -> None:
    asked = {"source": "context['n'] += 1", "context": {"n": 1}, "seconds": None}
    assert code("context['n'] += 1").run(n=1) == Suspend(ActivityCall("code", asked), input=None)


@pytest.mark.parametrize("source", ["", "  ", "\n\t\n"])
def test_blank_source_does_nothing(source: str) -> None:
    """Contract: blank is a no-op"""
    assert code(source).run(n=1) == Continue({"n": 1})


def test_what_it_left_is_the_context() -> None:
    outcome = code("x").resume(Resolution("activity", {"new": 1}), old=1)
    assert outcome == Continue({"new": 1})


def test_limits_go_with_the_call() -> None:
    outcome = code("x", timeout="PT2S", queue="slow", retry={"attempts": 2}).run()
    assert isinstance(outcome, Suspend)
    assert isinstance(outcome.wait, ActivityCall)
    limits = (outcome.wait.queue, outcome.wait.attempts, outcome.wait.timeout)
    assert limits == ("slow", 2, timedelta(seconds=2))
    assert outcome.wait.input["seconds"] == 2


@pytest.mark.parametrize(
    "source", ["context['a'] = 1", "await f()", "async with a as b:\n    pass", "# only words"]
)
def test_source_that_compiles(source: str) -> None:
    assert code(source).problems == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\ny = (", "line 2"),
        ("return 1", "line 1"),
        ("if x:\npass", "line 2"),
        ("x = '\0'", "null bytes"),
        ("(" * 300, "line 1"),
    ],
)
def test_source_that_does_not_compile_is_refused_with_its_line(source: str, message: str) -> None:
    ((pointer, said),) = code(source).problems
    assert pointer == "/source"
    assert message in said


HOSTILE = {
    "minus": "'-' * 90_000 + '1'",
    "not": "'not ' * 20_000 + '1'",
    "attributes": "'a' + '.b' * 40_000",
    "calls": "'a' + '()' * 40_000",
    "sums": "'+'.join(['1'] * 40_000)",
    "lambdas": "'lambda: ' * 10_000 + '1'",
    "comparisons": "'<'.join(['a'] * 40_000)",
    "strings": "'\"a\" ' * 20_000",
    "blocks": "''.join(' ' * at + 'if 1:\\n' for at in range(90)) + ' ' * 90 + 'x'",
    "chained else": "'if a: x\\n' + 'elif a: x\\n' * 9_000",
    "powers": "'9**' * 5_000 + '9'",
    "product": "'\"x\" * 10**9'",
    "digits": "'x = ' + '9' * 90_000",
    "lists": "'[' * 190 + ']' * 190",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_source_takes_the_process_with_it(name: str) -> None:
    program = (
        "import time; from workflows.nodes.sources import syntax_problem; "
        f"source = {HOSTILE[name]}; begin = time.monotonic(); syntax_problem(source[:100_000]); "
        "assert time.monotonic() - begin < 5"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_source_has_a_limit() -> None:
    with pytest.raises(ValidationError):
        code("#" * 100_001)


def test_ports() -> None:
    assert code("x", next="a", on_error="b").ports == {"next": "a", "on_error": "b"}
