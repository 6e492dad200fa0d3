from datetime import timedelta
from typing import Any

import pytest

from tests.unit.nodes.bench import Node, node
from workflows.nodes.outcomes import Continue, Fail, Suspend
from workflows.nodes.suspensions import ActivityCall, Resolution


def command(words: Any, **fields: Any) -> Node:
    return node("command", command=words, **fields)


def given(outcome: Any) -> Any:
    assert isinstance(outcome, Suspend)
    assert isinstance(outcome.wait, ActivityCall)
    assert outcome.wait.activity == "command"
    return outcome.wait.input


def test_it_asks_for_the_run_with_everything_rendered() -> None:
    outcome = command(
        ["convert", "--size=${n}", "${name}", "${ratio}", True, 7],
        stdin={"a": "${n}"},
        files={"in/data.json": {"name": "${name}"}, "plain.txt": "n=${n}", "none": None},
        outputs=["out.txt"],
        env={"LEVEL": "${n}"},
        expect=[0, 3],
    ).run(n=3, name="a b; rm", ratio=1.5)
    assert given(outcome) == {
        "words": ["convert", "--size=3", "a b; rm", "1.5", "true", "7"],
        "is_shell": False,
        "stdin": '{"a": 3}',
        "files": {"in/data.json": '{"name": "a b; rm"}', "plain.txt": "n=3", "none": ""},
        "outputs": ["out.txt"],
        "env": {"LEVEL": "3"},
        "expect": [0, 3],
        "seconds": None,
    }
    assert isinstance(outcome, Suspend)
    assert set(outcome.input) == {"command", "stdin", "files", "env"}


def test_limits_go_with_the_call() -> None:
    outcome = command(["true"], timeout="PT2S", queue="slow", retry={"attempts": 2}).run()
    assert isinstance(outcome, Suspend)
    assert isinstance(outcome.wait, ActivityCall)
    limits = (outcome.wait.queue, outcome.wait.attempts, outcome.wait.timeout)
    assert limits == ("slow", 2, timedelta(seconds=2))
    assert given(outcome)["seconds"] == 2


@pytest.mark.parametrize(
    ("value", "what"), [(None, "null"), ([1], "a list"), ({"a": 1}, "an object")]
)
def test_an_argument_is_one_word(value: object, what: str) -> None:
    told = f"Argument 2 is {what}, not text, a number or a boolean."
    assert command(["echo", "-n", value]).problems == [("/command/2", told)]
    outcome = command(["echo", "-n", "${x}"]).run(x=value)
    assert isinstance(outcome, Fail)
    assert (outcome.code, outcome.message) == ("command_input", told)


def test_a_text_is_for_the_shell() -> None:
    asked = given(command("echo ${shell_quote(x)} | wc -c").run(x="a'b; rm -rf /"))
    assert asked["is_shell"] is True
    assert asked["words"] == ["echo 'a'\"'\"'b; rm -rf /' | wc -c"]


SAFE = [
    "echo hello",
    "echo \"$HOME\" `date` $(date) '${'".replace("${", "$"),
    "echo ${shell_quote(x)}",
    "echo --name=${shell_quote(x)} > out.txt",
    "echo 'fixed' \"also fixed\" ${x.shell_quote()}; true # done",
    "grep ${shell_quote('^' + x)} file && echo \\' ${ shell_quote( x ) }",
    "a#b ${shell_quote(x)}",
    "# a comment\necho ${shell_quote(x)}",
]
UNSAFE = [
    "echo ${x}",
    "echo ${shell_quote(x) + y}",
    "echo ${json_escape(x)}",
    "echo '${shell_quote(x)}'",
    'echo "${shell_quote(x)}"',
    'echo "a ${shell_quote(x)} b"',
    "echo \\${shell_quote(x)}",
    "echo # ${shell_quote(x)}",
    "echo `echo ${shell_quote(x)}`",
    "echo $(echo ${shell_quote(x)})",
    "echo $((${shell_quote(x)}))",
    "(( ${shell_quote(x)} ))",
    "[[ ${shell_quote(x)} -eq 1 ]]",
    "cat <<E\n${shell_quote(x)}\nE",
    "echo $'a' ${shell_quote(x)}",
    'echo "$(echo "${shell_quote(x)}")"',
    "echo $${x:-${shell_quote(x)}}",
    "echo ${shell_quote(x)} '${shell_quote(y)}'",
]


@pytest.mark.parametrize("text", SAFE)
def test_a_shell_text_with_quoted_values_is_taken(text: str) -> None:
    assert command(text).problems == []


@pytest.mark.parametrize("text", UNSAFE)
def test_a_shell_text_in_which_data_is_not_one_word_is_refused(text: str) -> None:
    """Contract: argument lists, never a shell string unless `shell_quote`d"""
    assert {pointer for pointer, _ in command(text).problems} == {"/command"}
    script = ["/bin/bash", "-euc", text]
    assert {pointer for pointer, _ in command(script).problems} == {"/command/2"}
    wrapped = ["env", "A=1", "sh", "-c", text]
    assert {pointer for pointer, _ in command(wrapped).problems} == {"/command/4"}


def test_values_beside_a_script_are_words() -> None:
    assert command(["sh", "-c", 'echo "$1"', "sh", "${x}"]).problems == []
    assert command(["bash", "script.sh", "${x}"]).problems == []


@pytest.mark.parametrize(
    ("words", "pointer"),
    [
        ([], "/command"),
        ("", "/command"),
        (" ", "/command"),
        ({"a": 1}, "/command"),
        (7, "/command"),
        ([""], "/command/0"),
        (["${program}"], "/command/0"),
        (["a${x}"], "/command/0"),
        ([1, "x"], "/command/0"),
    ],
)
def test_the_program_is_written_out(words: object, pointer: str) -> None:
    assert [at for at, _ in command(words).problems] == [pointer]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "./a",
        "a/",
        ".",
        "..",
        "a\nb",
        "a\0b",
        "x" * 256,
    ],
)
def test_files_stay_inside_of_the_folder(name: str) -> None:
    assert [at for at, _ in command(["true"], files={name: ""}).problems] == ["/files"]
    assert [at for at, _ in command(["true"], outputs=[name]).problems] == ["/outputs"]


@pytest.mark.parametrize("name", ["", "1A", "A B", "A=B", "LD_PRELOAD", "LD_LIBRARY_PATH", "Ü"])
def test_variables_that_cannot_be_set(name: str) -> None:
    assert [at for at, _ in command(["true"], env={name: "x"}).problems] == ["/env"]


def test_files_and_environment_are_objects() -> None:
    wrong = command(["true"], files="${files}", env=["A"])
    assert [at for at, _ in wrong.problems] == ["/files", "/env"]


def test_the_answer_is_put_at_result() -> None:
    answer = {"exit_code": 0, "stdout": "", "stderr": "", "files": {}}
    work = command(["true"], result="made.it")
    assert work.resume(Resolution("activity", answer)) == Continue({"made": {"it": answer}})
    assert work.kind.sets(work.config) == ("made.it",)


def test_ports() -> None:
    assert command(["true"], next="a", on_error="b").ports == {"next": "a", "on_error": "b"}
