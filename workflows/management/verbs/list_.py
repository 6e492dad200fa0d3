"""list: runs, the newest first."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace

from rich.console import Console

from workflows.errors import NotFoundError, suggest
from workflows.management.answers import Answer, row, say, status_text, table, when
from workflows.management.runs import short_data
from workflows.models import Workflow
from workflows.selectors.runs import runs
from workflows.states import RunStatus

HELP = "List runs, the newest first."
_MOST = 10_000


def add_arguments(parser: ArgumentParser) -> None:
    names = [status.value for status in RunStatus]
    parser.add_argument("--status", choices=names, help="Only runs in this status.")
    parser.add_argument("--workflow", metavar="NAME", help="Only runs of this workflow.")
    parser.add_argument(
        "--limit", type=_limit, default=20, metavar="N", help="At most so many (20)."
    )


def run(options: Namespace) -> Answer:
    filters = {"status": options.status, "workflow_name": options.workflow}
    if options.workflow:
        _require_workflow(options.workflow)
    rows = runs(**{name: value for name, value in filters.items() if value})
    found = list(rows[: min(options.limit, _MOST)])

    def draw(console: Console) -> None:
        if not found:
            say(console, "There are no such runs. Start one: manage.py workflow start NAME")
            return
        drawn = table("run", "workflow", "status", "started", "by", "key")
        for each in found:
            name = f"{each.workflow_name} v{each.version.number}"
            by = each.started_by.get_username() if each.started_by else ""
            cells = (each.pk, name, status_text(each.status), when(each.created_at), by, each.key)
            drawn.add_row(*row(*(cell or "" for cell in cells)))
        console.print(drawn)

    return Answer({"runs": [short_data(each) for each in found]}, draw)


def _require_workflow(name: str) -> None:
    if not Workflow.objects.filter(name=name).exists():
        names = set(Workflow.objects.values_list("name", flat=True))
        raise NotFoundError(f"There is no workflow {name!r}{suggest(name, names)}.")


def _limit(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        message = f"{text!r} is no whole number from 1"
        raise ArgumentTypeError(message)
    return int(text)
