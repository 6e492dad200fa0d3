"""Python source in a workflow, end to end: real processes, and what hostile source tries."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django import Settings

from tests.support.assertions import assert_completed, assert_failed
from tests.support.builder import activity, code, each, edit, end, workflow
from tests.support.isolation import require_sandbox
from workflows import services
from workflows.effects import sandbox
from workflows.errors import DefinitionError, PermissionRefusedError
from workflows.models import NodeExecution, Run, WorkflowVersion
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def allow(settings: Settings, mode: str, **more: Any) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "CODE": mode, **more}


@pytest.fixture(params=["isolated", "trusted"])
def mode(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Both ways in which source runs."""
    if request.param == "isolated":
        require_sandbox()
    allow(settings, request.param)
    return str(request.param)


def run(engine: Harness, source: str, data: dict[str, Any] | None = None, **fields: Any) -> Run:
    engine.publish(workflow("coded", code("work", source, next="end", **fields), end()))
    return engine.result(engine.run("coded", data))


# What it does


def test_source_works_on_the_context(engine: Harness, mode: str) -> None:
    """Contract: Python source working on `context`"""
    source = """
import math
from collections import Counter

def square(n):
    return n * n

context["squares"] = [square(n) for n in context["numbers"]]
context["root"] = math.sqrt(context["squares"][-1])
context["counts"] = Counter("aab")
context["pair"] = (1, "ü")
del context["numbers"]
"""
    done = run(engine, source, {"numbers": [1, 2, 3], "kept": True})
    expected = {"squares": [1, 4, 9], "root": 3.0, "counts": {"a": 2, "b": 1}, "pair": [1, "ü"]}
    assert_completed(done, {**expected, "kept": True})


def test_an_item_may_compute_what_stood_there_before(engine: Harness, mode: str) -> None:
    """No node tells what source sets, and a result must not be lost because it is an old one."""
    nodes = [
        each("each", "work", items="numbers", next="end"),
        code("work", "context['output'] = context['item'] * 2", next=None),
        end(output={"doubled": "${output}"}),
    ]
    engine.publish(workflow("coded", *nodes))
    done = engine.run("coded", {"numbers": [1, 2], "output": 4})
    assert_completed(done, {"doubled": [2, 4]})


def test_context_may_be_another_object(engine: Harness, mode: str) -> None:
    assert_completed(run(engine, "context = {'only': context['n']}", {"n": 1}), {"only": 1})


def test_blank_source_does_nothing(engine: Harness, mode: str) -> None:
    """Contract: blank is a no-op"""
    assert_completed(run(engine, " \n", {"n": 1}), {"n": 1})


def test_await_may_stand_anywhere(engine: Harness, mode: str) -> None:
    """Contract: `await` allowed at top level"""
    source = """
import asyncio

async def later(value):
    await asyncio.sleep(0)
    return value

context["n"] = sum(await asyncio.gather(later(1), later(2)))
async with asyncio.Lock():
    context["locked"] = True
"""
    assert_completed(run(engine, source), {"n": 3, "locked": True})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\n1 / 0", "line 2: ZeroDivisionError: division by zero"),
        ("def f():\n    raise KeyError('k')\n\nf()", "line 2: KeyError: 'k'"),
        ("import json\njson.loads('{')", "line 2: JSONDecodeError"),
        ("await missing()", "line 1: NameError: name 'missing' is not defined"),
        ("import sys\nsys.exit('enough')", "line 2: SystemExit: enough"),
        ("raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})", "line 1: E"),
        ("def f(): f()\nf()", "line 1: RecursionError"),
        ("x = 1\nexec('def (')", "line 2: SyntaxError"),
        ("raise GeneratorExit", "line 1: GeneratorExit"),
        ("raise type('E', (BaseException,), {})('x')", "line 1: E: x"),
        (
            "import asyncio\nasync def f():\n    raise asyncio.CancelledError\nawait f()",
            "line 3: CancelledError",
        ),
        ("raise ValueError('a\\0\\ud800b')", "line 1: ValueError: a??b"),
    ],
)
def test_an_error_fails_the_node_with_its_line(
    engine: Harness, mode: str, source: str, message: str
) -> None:
    """Contract: errors fail the node with their line"""
    done = run(engine, source)
    assert_failed(done, "code_error", "work")
    assert done.error["message"].startswith(message)


def test_an_error_can_be_handled_and_tried_again(engine: Harness, mode: str) -> None:
    retry = {"attempts": 3, "backoff": "PT1S", "on": ["code_error"]}
    engine.publish(
        workflow(
            "coded",
            code("work", "1 / 0", retry=retry, on_error="mend", next="end"),
            edit("mend", seen="${error.code}", next="end"),
            end(output={"seen": "${seen}"}),
        )
    )
    done = engine.run("coded")
    assert_completed(done, {"seen": "code_error"})
    assert NodeExecution.objects.filter(run=done, node="work", status="failed").count() == 3


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("context['x'] = {1, 2}", "`context.x` is no JSON: set."),
        ("context['x'] = [object()]", "`context.x[0]` is no JSON: object."),
        ("context['x'] = {1: 2}", "A key in `context.x` is no text: int."),
        ("context = [1]", "`context` is no object any more: list."),
        ("del context", "`context` is no object any more: NoneType."),
        ("context['x'] = float('nan')", "`context`"),
        ("context['x'] = 2 ** 64", "`context`"),
        ("context['x'] = 'a\\0b'", "`context`"),
        ("context['x'] = '\\ud800'", "`context`"),
        ("context['x'] = context", "`context` is nested deeper than 64 levels."),
    ],
)
def test_only_json_is_left(engine: Harness, mode: str, source: str, message: str) -> None:
    done = run(engine, source, retry={"attempts": 3})
    assert_failed(done, "code_output", "work")
    assert message in done.error["message"]
    assert done.error["attempt"] == 1


def test_what_is_left_has_a_limit(engine: Harness, mode: str, settings: Settings) -> None:
    allow(settings, mode, MAX_VALUE_BYTES=1000)
    assert_failed(run(engine, "context['x'] = 'a' * 2000"), "code_output", "work")
    assert_failed(run(engine, "context['x'] = 'a' * 20_000"), "code_output", "work")


def test_the_context_of_other_threads_is_not_touched(engine: Harness, mode: str) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "each"},
        {"id": "each", "type": "map", "items": "items", "process": "work", "next": "end"},
        code("work", "context['shared']['n'].append(1)\ncontext['output'] = context['shared']"),
        end(output={"output": "${output}", "shared": "${shared}"}),
    ]
    engine.publish({"workflow": "coded", "nodes": nodes})
    done = engine.run("coded", {"items": [1, 2], "shared": {"n": []}})
    assert_completed(done, {"output": [{"n": [1]}, {"n": [1]}], "shared": {"n": []}})


def test_the_history_does_not_keep_the_context_again(engine: Harness, mode: str) -> None:
    source = "context['n'] = 1\ncontext['float'] = float(context['float'])"
    done = run(engine, source, {"large": ["x" * 100], "float": 1})
    step = NodeExecution.objects.get(run=done, node="work")
    assert (step.input, step.output) == (None, {"n": 1, "float": 1.0})
    assert type(step.output["float"]) is float


# Whether it runs at all


def test_it_is_off_unless_somebody_turns_it_on(engine: Harness, settings: Settings) -> None:
    """Contract: Setting `off` (default)"""
    with pytest.raises(DefinitionError) as caught:
        run(engine, "context['n'] = 1")
    (problem,) = caught.value.problems
    assert (problem.code, problem.pointer) == ("not_allowed", "/nodes/1/type")
    assert "CELERIAC_CODE" in problem.message
    assert not WorkflowVersion.objects.exists()


def test_what_was_published_before_it_was_turned_off_fails(
    engine: Harness, settings: Settings
) -> None:
    allow(settings, "trusted")
    engine.publish(workflow("coded", code("work", "context['n'] = 1", next="end"), end()))
    allow(settings, "off")
    done = engine.run("coded")
    assert_failed(done, "code_off", "work")
    assert "CELERIAC_CODE" in engine.result(done).error["message"]


def test_without_a_sandbox_nothing_runs_instead(
    engine: Harness, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    allow(settings, "isolated")
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox.problem.cache_clear()
    try:
        done = run(engine, "context['n'] = 1")
    finally:
        sandbox.problem.cache_clear()
    assert_failed(done, "isolation_unavailable", "work")
    assert "bubblewrap" in done.error["message"]


def test_a_sandbox_that_does_not_hold_is_none(
    engine: Harness, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One that only looks like it: it runs the program as it is, with all that can be reached."""
    fake = tmp_path / "bwrap"
    fake.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n')
    fake.chmod(0o755)
    allow(settings, "isolated")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    sandbox.problem.cache_clear()
    try:
        done = run(engine, "context['n'] = 1")
    finally:
        sandbox.problem.cache_clear()
    assert_failed(done, "isolation_unavailable", "work")


def test_trusted_source_runs_inside_of_the_project(engine: Harness, settings: Settings) -> None:
    """Contract: `trusted` (in process, project code importable)"""
    allow(settings, "trusted")
    source = """
import os
from workflows.models import Run
context["pid"] = os.getpid()
context["runs"] = Run.objects.count()
"""
    done = run(engine, source)
    assert_completed(done, {"pid": os.getpid(), "runs": 1})


def test_trusted_source_needs_a_permission_to_publish(engine: Harness, settings: Settings) -> None:
    """Contract: `trusted` needs its own permission to publish"""
    allow(settings, "trusted")
    author = User.objects.create(username="alice")
    author.user_permissions.add(Permission.objects.get(codename="publish_workflow"))
    text = '{"workflow": "coded", "nodes": [{"id": "start", "type": "start", "next": "work"}, '
    text += '{"id": "work", "type": "code", "source": "1"}]}'
    with pytest.raises(PermissionRefusedError, match=r"workflows\.publish_trusted_code"):
        services.publish(text, by=User.objects.get(pk=author.pk))
    author.user_permissions.add(Permission.objects.get(codename="publish_trusted_code"))
    assert services.publish(text, by=User.objects.get(pk=author.pk)).is_new


def test_no_activity_node_goes_around_the_kind(engine: Harness, settings: Settings) -> None:
    for name in ("code", "http", "command"):
        node = activity("work", name, input={}, next="end")
        with pytest.raises(DefinitionError, match="unknown activity"):
            engine.publish(workflow("coded", node, end()))


def test_trusted_source_has_a_time_limit(engine: Harness, settings: Settings) -> None:
    allow(settings, "trusted")
    done = run(engine, "while True: pass", timeout="PT0.2S")
    assert_failed(done, "timeout", "work")
    # It has none of the time that a sandbox is left to clear up.
    done = run(engine, "import threading; threading.Event().wait(2)", timeout="PT0.2S")
    assert_failed(done, "timeout", "work")
