"""answer RUN: answer what a run asks a person."""

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from rich.console import Console

from workflows import services
from workflows.errors import InputRefusedError
from workflows.management.answers import Answer, say
from workflows.management.arguments import add_person, person, read_value
from workflows.management.refusals import UsageError

HELP = "Answer what a run asks: decide its approval, or answer its question."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="Id of the run.")
    parser.add_argument("--node", metavar="ID", help="Node that asks; needed when several do.")
    parser.add_argument(
        "--suspension", metavar="ID", help="The wait (or how its id begins), as `show` lists it."
    )
    parser.add_argument("--decision", help="Of an approval: approve or reject.")
    parser.add_argument(
        "--data", metavar="JSON", help="Of a question: a file, - for stdin, or JSON itself."
    )
    parser.add_argument("--comment", default="", help="For the record.")
    parser.add_argument(
        "--form", metavar="JSON", help="Of an approval: what is filled in, given as for --data."
    )
    parser.add_argument("--key", help="Idempotency key: the same answer sent twice is one.")
    add_person(parser, "answers (required)")


def run(options: Namespace) -> Answer:
    by = person(options.person)
    if by is None:
        raise UsageError("An answer is somebody's: name the user with --as USER.")
    answer = {
        "decision": options.decision,
        "comment": options.comment,
        "form": None if options.form is None else _form(options.form),
        "key": options.key,
    }
    given = {name: value for name, value in answer.items() if value is not None}
    if options.data is not None:
        given["data"] = read_value(options.data, "--data")
    try:
        told = services.answer(
            options.run, node=options.node, suspension=options.suspension, answer=given, by=by
        )
    except InputRefusedError as error:
        if any(each.code == "answer_missing" for each in error.problems):
            message = 'Give the answer as JSON, for example --data \'{"colour": "red"}\'.'
            raise UsageError(message) from None
        # Other kinds of questions may take answers without a decision; this one does not.
        if options.decision is None and any("decision" in each.pointer for each in error.problems):
            message = "Say what is decided: --decision approve or --decision reject."
            raise UsageError(message) from None
        raise
    data = told.as_dict() if hasattr(told, "as_dict") else {"answer": told}
    return Answer({"run": options.run, **data}, lambda console: _draw(console, data))


def _form(argument: str) -> dict[str, Any]:
    form = read_value(argument, "--form")
    if not isinstance(form, dict):
        raise UsageError('--form must be a JSON object, for example \'{"ticket": "LEGAL-7"}\'.')
    return form


def _draw(console: Console, data: dict[str, Any]) -> None:
    say(console, "The answer is recorded.")
    for name, value in data.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        say(console, f"  {name}: {text}")
