"""Programs in a workflow, end to end: real processes in folders of their own."""

import json
import os
import tempfile
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from pytest_django import Settings

from tests.support.assertions import assert_completed, assert_failed
from tests.support.builder import command, edit, end, workflow
from tests.support.cancelling import cancel_when_asked
from tests.support.isolation import require_sandbox
from workflows.errors import DefinitionError
from workflows.models import NodeExecution, Run
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

PROGRAMS = ["cat", "echo", "env", "false", "id", "ls", "python3", "sh", "sleep", "true"]
PYTHON = ("python3", "-I", "-c")


def allow(settings: Settings, mode: str, **more: Any) -> None:
    given = {"COMMAND": mode, "COMMAND_PROGRAMS": PROGRAMS, **more}
    settings.CELERIAC = {**settings.CELERIAC, **given}


@pytest.fixture(params=["isolated", "trusted"])
def mode(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Both ways in which programs run."""
    if request.param == "isolated":
        require_sandbox()
    allow(settings, request.param)
    return str(request.param)


@pytest.fixture
def isolated(settings: Settings) -> Settings:
    require_sandbox()
    allow(settings, "isolated")
    return settings


@pytest.fixture(autouse=True)
def _folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let folders be made where the test can see them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def run(engine: Harness, *words: Any, data: dict[str, Any] | None = None, **fields: Any) -> Run:
    node = command("work", *words, next="end", **fields)
    engine.publish(workflow("commanding", node, end(output={"answer": "${output}"})))
    return engine.result(engine.run("commanding", data))


def answer_of(done: Run) -> Any:
    assert_completed(done)
    return done.output["answer"]


# What it does


def test_a_program_is_run_with_its_arguments(engine: Harness, mode: str) -> None:
    """Contract: runs a program"""
    hostile = "$(touch x); `id` | cat > y && *\n'\""
    answer = answer_of(run(engine, "echo", "-n", "${a}", "${n}", data={"a": hostile, "n": 1.5}))
    assert answer == {"exit_code": 0, "stdout": f"{hostile} 1.5", "stderr": "", "files": {}}


def test_it_runs_in_a_folder_of_its_own_that_is_thrown_away(
    engine: Harness, mode: str, tmp_path: Path
) -> None:
    """Contract: in a throw-away working directory of its own"""
    files = {"in.json": {"n": "${n}"}, "deep/er/text.txt": "grüße"}
    script = "cat in.json deep/er/text.txt; pwd; echo left > out.txt; mkdir sub; echo x > sub/y"
    first = answer_of(
        run(engine, "sh", "-c", script, files=files, outputs=["out.txt", "sub/y"], data={"n": 1})
    )
    content, folder = first["stdout"].split("}", 1)[0] + "}", first["stdout"].splitlines()[-1]
    assert json.loads(content) == {"n": 1}
    assert "grüße" in first["stdout"]
    assert first["files"] == {"out.txt": "left\n", "sub/y": "x\n"}
    assert not Path(folder).exists() or mode == "isolated"
    second = answer_of(run(engine, "ls", "-A"))
    assert second["stdout"] == ""
    assert list(tmp_path.iterdir()) == []


def test_outputs_are_captured(engine: Harness, mode: str) -> None:
    """Contract: captured outputs and files"""
    source = (
        "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(b'\\xffout\\0');"
        "sys.stderr.write('err'); open('b', 'wb').write(b'\\xff\\x00'); open('s', 'wb').write(data)"
    )
    answer = answer_of(
        run(engine, *PYTHON, source, stdin={"a": 1}, outputs=["b", "s", "not there"])
    )
    assert answer == {
        "exit_code": 0,
        "stdout": "\N{REPLACEMENT CHARACTER}out\N{REPLACEMENT CHARACTER}",
        "stderr": "err",
        "files": {"b": {"base64": "/wA="}, "s": '{"a": 1}', "not there": None},
    }


def test_only_the_environment_that_is_written_is_there(
    engine: Harness, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIDDEN", "secret")
    done = run(engine, "env", env={"LEVEL": "${n}", "LANG": "de_DE"}, data={"n": 3})
    seen = dict(line.split("=", 1) for line in answer_of(done)["stdout"].splitlines())
    assert set(seen) - {"PWD"} == {"HOME", "LANG", "LEVEL", "PATH", "TMPDIR"}
    assert (seen["LEVEL"], seen["LANG"]) == ("3", "de_DE")
    assert seen["PATH"] == "/usr/local/bin:/usr/bin:/bin"


def test_an_exit_code_that_is_not_expected_fails_the_node(engine: Harness, mode: str) -> None:
    script = "echo because >&2; exit 3"
    done = run(engine, "sh", "-c", script, retry={"attempts": 2, "backoff": "PT1S"})
    assert_failed(done, "command_failed", "work")
    assert done.error["message"] == "It ended with exit code 3: because"
    assert done.error["attempt"] == 2
    assert answer_of(run(engine, "sh", "-c", script, expect=[0, 3]))["exit_code"] == 3


def test_a_failure_can_be_handled(engine: Harness, mode: str) -> None:
    engine.publish(
        workflow(
            "commanding",
            command("work", "false", on_error="mend", next="end"),
            edit("mend", seen="${error.code}", next="end"),
            end(output={"seen": "${seen}"}),
        )
    )
    assert_completed(engine.run("commanding"), {"seen": "command_failed"})


def test_a_shell_text_has_quoted_values_only(engine: Harness, mode: str) -> None:
    """Contract: argument lists, never a shell string unless `shell_quote`d"""
    node = {**command("work"), "command": "echo ${shell_quote(x)} | cat; echo done", "next": "end"}
    engine.publish(workflow("commanding", node, end(output={"answer": "${output}"})))
    data = {"x": "a'; echo evil; '"}
    answer = answer_of(engine.result(engine.run("commanding", data)))
    assert answer["stdout"] == "a'; echo evil; '\ndone\n"
    with pytest.raises(DefinitionError, match="shell_quote"):
        engine.publish(workflow("unsafe", {**node, "command": "echo ${x}"}, end()))


def test_the_history_keeps_what_was_asked(engine: Harness, mode: str) -> None:
    done = run(engine, "echo", "${n}", data={"n": 1})
    step = NodeExecution.objects.get(run=done, node="work")
    assert step.input == {"command": ["echo", 1], "stdin": None, "files": {}, "env": {}}


# Whether it runs at all


def test_it_is_off_unless_somebody_turns_it_on(engine: Harness) -> None:
    """Contract: off by default"""
    with pytest.raises(DefinitionError) as caught:
        run(engine, "true")
    (problem,) = caught.value.problems
    assert (problem.code, problem.pointer) == ("not_allowed", "/nodes/1/type")
    assert "CELERIAC_COMMAND" in problem.message


def test_what_was_published_before_it_was_turned_off_fails(
    engine: Harness, settings: Settings
) -> None:
    allow(settings, "trusted")
    engine.publish(workflow("commanding", command("work", "true", next="end"), end()))
    allow(settings, "off")
    assert_failed(engine.run("commanding"), "command_off", "work")
    allow(settings, "trusted", COMMAND_PROGRAMS=["echo"])
    assert_failed(engine.run("commanding"), "command_refused", "work")


@pytest.mark.parametrize("words", [["rm", "-rf"], ["/bin/echo"], ["../echo"], ["./x"], ["ECHO"]])
def test_only_named_programs_are_run(engine: Harness, settings: Settings, words: list[str]) -> None:
    allow(settings, "trusted")
    with pytest.raises(DefinitionError) as caught:
        run(engine, *words)
    (problem,) = caught.value.problems
    assert (problem.code, problem.pointer) == ("not_allowed", "/nodes/1/command")
    assert "CELERIAC_COMMAND_PROGRAMS" in problem.message


def test_a_shell_text_needs_the_shell(engine: Harness, settings: Settings) -> None:
    allow(settings, "trusted", COMMAND_PROGRAMS=["echo"])
    node = {**command("work"), "command": "echo hello", "next": "end"}
    with pytest.raises(DefinitionError, match="'sh'"):
        engine.publish(workflow("commanding", node, end()))


def test_a_program_that_is_not_there(engine: Harness, settings: Settings) -> None:
    allow(settings, "trusted", COMMAND_PROGRAMS=["no-such-program"])
    assert_failed(run(engine, "no-such-program"), "command_refused", "work")


def test_without_a_sandbox_nothing_runs_instead(
    engine: Harness, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workflows.effects import sandbox  # noqa: PLC0415

    allow(settings, "isolated")
    monkeypatch.setattr(sandbox, "problem", lambda: "Isolation needs bubblewrap.")
    done = run(engine, "true")
    assert_failed(done, "isolation_unavailable", "work")


# What hostile or broken programs do


def test_data_cannot_choose_what_no_program_takes(engine: Harness, mode: str) -> None:
    done = run(engine, "echo", "${x}", data={"x": "\ud7ff ok"})
    assert_completed(done)
    engine.publish(workflow("commanding", command("work", "echo", "${[x]}", next="end"), end()))
    assert_failed(engine.run("commanding", {"x": 1}), "command_input", "work")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("sleep", "60"), "command_timeout"),
        (("sh", "-c", "trap '' TERM INT HUP; while true; do true; done"), "command_timeout"),
        (("sh", "-c", "kill -9 $$"), "command_killed"),
        ((*PYTHON, "x = 'a' * 10**10"), "command_failed"),
        ((*PYTHON, "open('x', 'wb').write(b'x' * 10**8)"), "command_failed"),
        ((*PYTHON, "print('x' * 10**7)"), "command_output"),
        ((*PYTHON, "import sys; sys.stderr.write('x' * 10**7)"), "command_output"),
        ((*PYTHON, "open('big', 'w').write('x' * 2 * 10**6)"), "command_output"),
    ],
)
def test_a_program_has_limits(
    engine: Harness, mode: str, words: tuple[str, ...], code: str, tmp_path: Path
) -> None:
    """Contract: limits"""
    assert_failed(run(engine, *words, timeout="PT2S", outputs=["big"]), code, "work")
    assert list(tmp_path.iterdir()) == []


def test_a_timeout_ends_all_that_was_started(engine: Harness, mode: str, tmp_path: Path) -> None:
    """In the group, in a session of its own, with the pipes open: all of it goes."""
    mark = f"30{os.getpid()}"
    script = f"sleep {mark}1 & setsid sleep {mark}2 & (setsid sleep {mark}3 &) ; sleep {mark}4"
    assert_failed(run(engine, "sh", "-c", script, timeout="PT1S"), "command_timeout", "work")
    assert _running(mark) == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_in_the_background_is_ended_and_not_waited_for(
    engine: Harness, mode: str
) -> None:
    mark = f"31{os.getpid()}"
    begin = monotonic()
    script = f"sleep {mark}1 & setsid sleep {mark}2 & (setsid sleep {mark}3 &) ; echo over"
    assert answer_of(run(engine, "sh", "-c", script, timeout="PT50S"))["stdout"] == "over\n"
    assert monotonic() - begin < 30
    assert _running(mark) == []


def test_a_program_does_not_outlive_what_watches_over_it(engine: Harness, mode: str) -> None:
    mark = f"33{os.getpid()}"
    script = f"kill -9 $PPID; exec sleep {mark}"
    assert_failed(run(engine, "sh", "-c", script, timeout="PT9S"), "command_killed", "work")
    assert _running(mark) == []


def test_a_cancelled_run_ends_its_program(
    engine: Harness, mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mark = f"32{os.getpid()}"
    script = f"setsid sleep {mark}1 & sleep {mark}2"
    node = command("work", "sh", "-c", script, timeout="PT10M", next="end")
    engine.publish(workflow("commanding", node, end()))
    started = engine.start("commanding")
    cancel_when_asked(monkeypatch, started)
    begin = monotonic()
    engine.drain()
    assert monotonic() - begin < 30
    assert engine.result(started).status == "cancelled"
    assert _running(mark) == []
    assert list(tmp_path.iterdir()) == []


def _running(mark: str) -> list[str]:
    """Return the command lines of processes in which `mark` stands."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found += [line] if mark in line else []
    return found


def test_named_files_are_files_inside_of_the_folder(
    engine: Harness, mode: str, tmp_path: Path
) -> None:
    script = (
        "ln -s /etc/hostname link; mkdir real; echo x > real/y; ln -s real alias; mkfifo pipe;"
        "ln -s ../../../../etc up; mkdir folder; ln -s /usr/bin usr"
    )
    names = ["link", "alias/y", "pipe", "up/hostname", "folder", "usr/env", "real/y"]
    answer = answer_of(run(engine, "sh", "-c", script, outputs=names))
    assert answer["files"] == {**dict.fromkeys(names), "real/y": "x\n"}


def test_files_given_do_not_leave_the_folder(engine: Harness, settings: Settings) -> None:
    allow(settings, "trusted")
    for name in ("../x", "/tmp/x"):  # noqa: S108 - refused
        with pytest.raises(DefinitionError):
            run(engine, "true", files={name: "x"})


def test_an_isolated_program_is_alone(engine: Harness, isolated: Settings, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.write_text("secret")
    source = f"""
import json, os, socket
seen = {{"user": os.getuid(), "pids": len([n for n in os.listdir("/proc") if n.isdigit()])}}
try:
    socket.create_connection(("1.1.1.1", 80), 1)
    seen["network"] = True
except OSError:
    seen["network"] = False
seen["read"] = [n for n in ("{hidden}", "/etc/shadow", "/etc/passwd") if os.path.exists(n)]
seen["written"] = []
for name in ("/x", "/usr/x", "{tmp_path}/x"):
    try:
        open(name, "w"); seen["written"].append(name)
    except OSError:
        pass
print(json.dumps(seen))
"""
    seen = json.loads(answer_of(run(engine, *PYTHON, source))["stdout"])
    assert seen.pop("user") != 0 or os.getuid() != 0
    assert seen.pop("pids") <= 4
    assert seen == {"network": False, "read": [], "written": []}


def test_an_isolated_program_may_read_named_folders(
    engine: Harness, settings: Settings, tmp_path: Path
) -> None:
    require_sandbox()
    tool = tmp_path / "tools" / "greet"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho hello from $0\n")
    tool.chmod(0o755)
    allow(settings, "isolated", COMMAND_PROGRAMS=[str(tool)], COMMAND_FOLDERS=[str(tool.parent)])
    assert answer_of(run(engine, str(tool)))["stdout"] == f"hello from {tool}\n"


def test_an_isolated_fork_bomb_is_bounded(engine: Harness, isolated: Settings) -> None:
    done = run(engine, *PYTHON, "import os\nwhile True: os.fork()", timeout="PT3S")
    assert done.status == "failed"
    assert done.error["code"] in {"command_failed", "command_timeout"}


def test_an_isolated_disk_bomb_is_bounded(engine: Harness, isolated: Settings) -> None:
    source = "for n in range(1000): open(str(n), 'wb').write(b'x' * 10**6)"
    done = run(engine, *PYTHON, source)
    assert_failed(done, "command_failed", "work")
    assert "No space left" in done.error["message"]
