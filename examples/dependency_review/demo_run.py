"""Runs the demo: publish, start, show progress, let people decide, show the report."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from socket import socket
from threading import Event
from time import monotonic
from uuid import uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from rich.console import Console

from examples.dependency_review.demo_people import (
    Api,
    Reviewer,
    answer_of_legal,
    answer_of_security,
)
from examples.dependency_review.demo_progress import Progress, read_progress
from examples.dependency_review.demo_view import show_report
from examples.dependency_review.distributions import Listing
from examples.dependency_review.report import as_text
from project.launcher import System, running
from project.people import Person, make_demo_people
from project.processes import ProcessFailedError
from project.startup import require_database
from workflows import services
from workflows.models import Run

NAME = "dependency-review"
WORKFLOW = Path(__file__).with_name("workflow.yaml")
DONE, FAILED = 0, 1  # exit codes
LOOK_EVERY = 0.3  # seconds
PATIENCE = 600  # seconds in which something must have moved
LEAST_WIDTH = 100  # columns, where no terminal says how many there are


def review(listing: Listing) -> int:
    """Review one environment; return the exit code."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=max(console.width, LEAST_WIDTH))
    require_database()
    call_command("migrate", interactive=False, verbosity=0)
    people = make_demo_people()
    with running(web=True, port=_free_port()) as system:
        reviewers = _reviewers(system, people)
        run = _start(listing)
        console.print(f"Reviewing {listing['environment']} as run {run.pk}", soft_wrap=True)
        _wait(console, system, run, reviewers=reviewers, listing=listing)
        run.refresh_from_db()
    return _conclude(console, run)


def _start(listing: Listing) -> Run:
    alice = get_user_model().objects.get(username="alice")
    text = WORKFLOW.read_text(encoding="utf-8")
    version = services.publish(text, source=str(WORKFLOW), by=alice).version
    given = {"environment": listing["environment"]}
    # A key of its own: what an earlier demo left behind is another run.
    key = f"demo-{uuid4()}"
    return services.start(NAME, given, version=version.number, key=key, by=alice).run


def _reviewers(system: System, people: dict[str, Person]) -> list[Reviewer]:
    rules = {"lena": answer_of_legal, "sam": answer_of_security}
    reviewers = []
    for name, rule in rules.items():
        api = Api(system.url or "")
        api.log_in(name, people[name].password)
        reviewers.append(Reviewer(name, api, rule))
    return reviewers


def _wait(
    console: Console, system: System, run: Run, *, reviewers: list[Reviewer], listing: Listing
) -> None:
    """Show what moves and let people decide, until the run is over."""
    begin, shown, never = monotonic(), None, Event()
    moved = begin
    while monotonic() - moved < PATIENCE:
        progress = read_progress(str(run.pk), len(listing["packages"]))
        if progress != shown:
            console.print(progress.line(timedelta(seconds=monotonic() - begin)), soft_wrap=True)
            shown, moved = progress, monotonic()
        if progress.is_final:
            return
        _let_decide(console, str(run.pk), progress, reviewers=reviewers)
        system.require_up()
        never.wait(LOOK_EVERY)
    raise ProcessFailedError(f"nothing moved for {PATIENCE} s; see {settings.VAR / 'log'}")


def _let_decide(
    console: Console, run: str, progress: Progress, *, reviewers: list[Reviewer]
) -> None:
    if not progress.approvals_open:
        return
    for reviewer in reviewers:
        for title, answer in reviewer.decide(run):
            line = f"         {reviewer.name}: {answer.decision:<7}  {title}"
            console.print(line, markup=False, soft_wrap=True)


def _conclude(console: Console, run: Run) -> int:
    if run.status != "completed" or run.output is None:
        error = run.error or {}
        console.print(f"The review {run.status}: {error.get('message', 'no reason kept')}")
        return FAILED
    path = settings.VAR / "report.json"
    path.write_text(as_text(run.output), encoding="utf-8")
    show_report(console, run.output)
    for line in _where_next(path, run):
        console.print(line, markup=False, soft_wrap=True)
    return DONE


def _where_next(report: Path, run: Run) -> list[str]:
    show = f"CELERIAC_VAR={_short(settings.VAR)} .venv/bin/python manage.py workflow show {run.pk}"
    return [
        "",
        f"The report:   {_short(report)}",
        f"The process:  {_short(WORKFLOW)}, and README.md beside it",
        f"The run:      {show}",
        "The pages:    make up, with a run of its own that waits for you",
    ]


def _short(path: Path) -> Path:
    with suppress(ValueError):
        return path.relative_to(Path.cwd())
    return path


def _free_port() -> int:
    """Return a port that nobody listens on: 8000 may be taken by `make up`."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
