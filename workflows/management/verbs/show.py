"""show RUN: how a run stands, what it waits for, and what it did."""

from argparse import ArgumentParser, Namespace

from rich.console import Console

from workflows.management.answers import Answer
from workflows.management.runs import draw_history, draw_run, history_data, run_data
from workflows.selectors.runs import run_by_id

HELP = "Show a run: status, what it waits for and who can unblock it, progress, last error."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="Id of the run.")
    parser.add_argument("--history", action="store_true", help="Every attempt of every node too.")


def run(options: Namespace) -> Answer:
    found = run_by_id(options.run)
    data = run_data(found)
    if options.history:
        data["history"] = history_data(found)

    def draw(console: Console) -> None:
        draw_run(console, found)
        if options.history:
            draw_history(console, found)

    return Answer(data, draw)
