"""`command`: runs a program in a folder of its own."""

from typing import Any

from pydantic import Field

from workflows.context.paths import assign
from workflows.definition.fields import ContextPath, Template
from workflows.nodes.asking import ask_for
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.command_words import (
    argument_problems,
    command_problems,
    environment_problems,
    file_problems,
)
from workflows.nodes.compensations import UndoableConfig, finished
from workflows.nodes.outcomes import Fail, Outcome
from workflows.nodes.readings import as_text
from workflows.nodes.suspensions import Resolution


class CommandConfig(UndoableConfig):
    """What an author writes for a `command` node."""

    command: Template = Field(
        description="List of the program and its arguments, each a template; or the text of a "
        "shell command, in which every value is `${shell_quote(...)}`."
    )
    stdin: Template = Field(None, description="Template of what the program reads.")
    files: Template = Field(
        default_factory=dict,
        description="Template of an object: name -> content of files that are there beforehand.",
    )
    outputs: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="Names of files that are kept, as text or `{base64: ...}`; null if not there.",
    )
    env: Template = Field(
        default_factory=dict, description="Template of an object: the environment; none comes else."
    )
    expect: int | list[int] = Field(0, description="Exit codes that are no failure.")
    result: ContextPath = Field(
        "output", description="Where the answer is put: `{exit_code, stdout, stderr, files}`."
    )


class Command(Kind[CommandConfig]):
    """Runs a program in a working folder of its own, which is thrown away afterwards.

    CELERIAC_COMMAND decides whether it runs at all: `off`, `isolated` (without network, seeing /usr
    and its own folder only) or `trusted` (as the worker's user); CELERIAC_COMMAND_PROGRAMS names
    the programs, `sh` for shell texts. Time, memory, files and output have limits. At its end, at
    its timeout and when the run is cancelled, everything that it has started is ended with it.
    Without `timeout` an attempt may take COMMAND_SECONDS (60).
    """

    name = "command"
    Config = CommandConfig

    def sets(self, config: CommandConfig) -> tuple[str, ...]:
        return (config.result,)

    def check(self, config: CommandConfig) -> list[tuple[str, str]]:
        problems = command_problems(config.command, "/command")
        problems += file_problems(config.files, "/files")
        problems += file_problems(dict.fromkeys(config.outputs, ""), "/outputs")
        return problems + environment_problems(config.env, "/env")

    def run(self, call: NodeCall[CommandConfig]) -> Outcome:
        config = call.config
        names = ("command", "stdin", "files", "env")
        shown: dict[str, Any] = call.render({name: getattr(config, name) for name in names})
        is_shell = isinstance(config.command, str)
        words = [shown["command"]] if is_shell else list(shown["command"])
        for _, odd in argument_problems(words, "/command"):
            return Fail("command_input", odd)
        given = {
            "words": [as_text(word) for word in words],
            "is_shell": is_shell,
            "stdin": as_text(shown["stdin"]),
            "files": {name: as_text(content) for name, content in shown["files"].items()},
            "outputs": list(config.outputs),
            "env": {name: as_text(value) for name, value in shown["env"].items()},
            "expect": [config.expect] if isinstance(config.expect, int) else config.expect,
        }
        return ask_for("command", call, given, shown=shown)

    def resume(self, call: NodeCall[CommandConfig], resolution: Resolution) -> Outcome:
        answer = resolution.payload
        return finished(call, assign(call.context, call.config.result, answer), answer)
