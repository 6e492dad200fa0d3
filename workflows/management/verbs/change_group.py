"""change-group RUN NODE: change the window or the tolerance of a split that is under way."""

from argparse import ArgumentParser, Namespace
from typing import Any

from workflows import services
from workflows.management.answers import Answer
from workflows.management.arguments import add_person, person
from workflows.management.refusals import UsageError
from workflows.management.runs import draw_run, run_data
from workflows.services import access

HELP = "Change how many parts of a split live at once, or may fail, while it is under way."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="Id of the run.")
    parser.add_argument("node", metavar="NODE", help="Node of the batch, map, fan-out or race.")
    parser.add_argument("--group", metavar="ID", help="Only this one of its open groups.")
    parser.add_argument(
        "--parallel", type=int, metavar="N", help="Parts that may live at once; 0 is no limit."
    )
    parser.add_argument(
        "--tolerate", metavar="N", help="Parts that may fail: `3`, `5%%`, or `none`."
    )
    add_person(parser, "changes it; needs the permission for it")


def run(options: Namespace) -> Answer:
    by = person(options.person)
    if by is not None:
        access.require(by, "change_group")
    changes: dict[str, Any] = {"group": options.group, "parallel": options.parallel}
    if options.tolerate is not None:
        changes["tolerate"] = _tolerance(options.tolerate)
    changed = services.change_group(options.run, options.node, **changes)
    return Answer(run_data(changed), lambda console: draw_run(console, changed))


def _tolerance(text: str) -> dict[str, float] | None:
    if text == "none":
        return None
    try:
        return {"percent": float(text[:-1])} if text.endswith("%") else {"count": int(text)}
    except ValueError:
        message = f"--tolerate {text!r}: give a number of parts (3), a share (5%), or none."
        raise UsageError(message) from None
