"""list: runs, the newest first; or workflows, or the versions of one."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from workflows.errors import NotFoundError, suggest
from workflows.management.answers import Answer, ago, row, say, status_text, table, when
from workflows.management.arguments import one_of
from workflows.management.refusals import UsageError
from workflows.management.runs import short_data
from workflows.models import Run, Workflow
from workflows.selectors import definitions
from workflows.selectors.runs import runs
from workflows.states import RunStatus

HELP = "List runs, the newest first; with --workflows or --versions what can be run."
_MOST = 10_000


def add_arguments(parser: ArgumentParser) -> None:
    names = [status.value for status in RunStatus]
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--status", type=one_of(names), choices=names, help="Only runs in this status."
    )
    what.add_argument("--workflows", action="store_true", help="Workflows, instead of runs.")
    what.add_argument(
        "--versions", action="store_true", help="Versions of the --workflow, instead of runs."
    )
    parser.add_argument("--workflow", metavar="NAME", help="Only of this workflow.")
    parser.add_argument(
        "--limit", type=_limit, default=20, metavar="N", help="At most so many (20)."
    )


def run(options: Namespace) -> Answer:
    limit = min(options.limit, _MOST)
    if options.versions:
        return _versions(options.workflow, limit)
    if options.workflow:
        _require_workflow(options.workflow)
    if options.workflows:
        return _workflows(options.workflow, limit)
    filters = {"status": options.status, "workflow_name": options.workflow}
    rows = runs(**{name: value for name, value in filters.items() if value})
    found = list(rows[:limit])
    return Answer({"runs": [short_data(each) for each in found]}, lambda to: _draw(to, found))


def _draw(console: Console, found: Sequence[Run]) -> None:
    if not found:
        say(console, "There are no such runs. Start one: manage.py workflow start NAME")
        return
    drawn = table("run", "workflow", "status", "age", "started", "by", "key")
    for each in found:
        name = f"{each.workflow_name} v{each.version.number}"
        by = each.started_by.get_username() if each.started_by else ""
        times = (ago(each.created_at), when(each.created_at))
        drawn.add_row(*row(each.pk, name, _status(each), *times, by, each.key or ""))
    console.print(drawn)


def _status(run: Run) -> Text:
    """Return the status; of a run that ended, how it ended."""
    text = status_text(run.status)
    return (
        text.append(" (").append_text(status_text(run.result)).append(")") if run.result else text
    )


def _workflows(name: str | None, limit: int) -> Answer:
    rows = definitions.workflows()
    names = ("name", "title", "latest", "digest", "published_at")
    chosen: list[Any] = list((rows.filter(name=name) if name else rows)[:limit])
    data = [dict(zip(names, _told(each), strict=True)) for each in chosen]

    def draw(console: Console) -> None:
        if not chosen:
            say(console, "There are no workflows. Publish one: manage.py workflow publish FILE")
            return
        drawn = table("workflow", "newest", "age", "published", "title")
        for each in chosen:
            times = (ago(each.latest_at), when(each.latest_at))
            newest = f"v{each.latest}" if each.latest else "none"
            drawn.add_row(*row(each.name, newest, *times, each.title))
        console.print(drawn)

    return Answer({"workflows": data}, draw)


def _told(workflow: Any) -> tuple[Any, ...]:
    at = workflow.latest_at.isoformat() if workflow.latest_at else None
    return workflow.name, workflow.title, workflow.latest, workflow.latest_digest, at


def _versions(name: str | None, limit: int) -> Answer:
    if name is None:
        raise UsageError("Say of which workflow: --versions --workflow NAME.")
    chosen = list(definitions.versions_of(name)[:limit])
    data = [
        {
            "workflow": name,
            "number": each.number,
            "digest": each.digest,
            "published_at": each.published_at.isoformat(),
            "published_by": each.published_by.get_username() if each.published_by else None,
        }
        for each in chosen
    ]

    def draw(console: Console) -> None:
        drawn = table("workflow", "version", "age", "published", "by", "digest")
        for each, told in zip(chosen, data, strict=True):
            times = (ago(each.published_at), when(each.published_at))
            by = told["published_by"] or ""
            drawn.add_row(*row(name, f"v{each.number}", *times, by, each.digest[:12]))
        console.print(drawn)

    return Answer({"versions": data}, draw)


def _require_workflow(name: str) -> None:
    if not Workflow.objects.filter(name=name).exists():
        names = set(Workflow.objects.values_list("name", flat=True))
        raise NotFoundError(f"There is no workflow {name!r}{suggest(name, names)}.")


def _limit(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        message = f"{text!r} is no whole number from 1"
        raise ArgumentTypeError(message)
    return int(text)
