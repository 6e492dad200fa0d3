"""cancel RUN: stop every thread of a run."""

from argparse import ArgumentParser, Namespace

from workflows import services
from workflows.management.answers import Answer, say
from workflows.management.arguments import add_person, person
from workflows.management.runs import short_data
from workflows.services import access

HELP = "Cancel a run: every thread stops and its waits close."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="Id of the run.")
    parser.add_argument("--reason", default="", help="Kept with the run.")
    parser.add_argument(
        "--compensate", action="store_true", help="Undo the steps that have finished first."
    )
    add_person(parser, "cancels; needs the permission for it")


def run(options: Namespace) -> Answer:
    by = person(options.person)
    if by is not None:
        access.require(by, "cancel_run")
    run = services.cancel(options.run, reason=options.reason, by=by, compensate=options.compensate)
    told = "is cancelled" if run.ended_at else "is cancelled as soon as its steps are undone"
    return Answer(short_data(run), lambda console: say(console, f"Run {run.pk} {told}."))
