"""validate FILE..: every problem of every file, with line and column."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from workflows import services
from workflows.errors import DefinitionError, Problem
from workflows.management.answers import OK, REFUSED, Answer, counted, say
from workflows.management.arguments import read_text
from workflows.management.refusals import FileError, lines

HELP = "Check definition files without publishing them."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="YAML or JSON; - for stdin.")


def run(options: Namespace) -> Answer:
    texts = [(name, _read(name)) for name in options.files]
    beside = services.contents_of((name, text) for name, text in texts if isinstance(text, str))
    checked = [check(name, text, beside) for name, text in texts]
    wrong = sum(len(each["problems"]) for each in checked)

    def draw(console: Console) -> None:
        for each in checked:
            _draw(console, each)

    refusal = ""
    if wrong:
        files = counted(sum(bool(each["problems"]) for each in checked), "file")
        these = "it" if wrong == 1 else "them"
        refusal = f"{counted(wrong, 'problem')} in {files}. Mend {these} and validate again."
    data = {"valid": not wrong, "files": checked}
    return Answer(data, draw, code=REFUSED if wrong else OK, refusal=refusal)


def _read(name: str) -> str | FileError:
    try:
        return read_text(name)
    except FileError as error:
        return error


def check(name: str, text: str | FileError, beside: Mapping[str, str]) -> dict[str, Any]:
    """Return what is wrong with one file, and what its author should know.

    `beside` are the workflows that are checked with it.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    workflow = None
    try:
        if isinstance(text, FileError):
            raise text
        compiled = services.validate(text, source=name, beside=beside)
        warnings, workflow = list(compiled.warnings), compiled.plan.definition.workflow
    except FileError as error:
        problems = [Problem(error.code, error.message.removeprefix(f"{name}: "))]
    except DefinitionError as error:
        problems, warnings = error.problems, list(error.warnings)
    return {
        "file": name,
        "workflow": workflow,
        "problems": [problem.as_dict() for problem in problems],
        "warnings": [problem.as_dict() for problem in warnings],
    }


def _draw(console: Console, checked: dict[str, Any]) -> None:
    found = [Problem(**each) for each in checked["problems"] + checked["warnings"]]
    for line in lines(found, checked["file"]):
        say(console, line)
    if not checked["problems"]:
        count = len(checked["warnings"])
        but = f", with {counted(count, 'warning')}" if count else ""
        say(console, f"{checked['file']}: workflow {checked['workflow']!r} is valid{but}.")
