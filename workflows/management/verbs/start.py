"""start NAME: start a run, and wait for its end when asked to."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from workflows import conf, services
from workflows.dispatch import inline
from workflows.management.answers import FAILED, OK, Answer, say
from workflows.management.arguments import add_person, person, read_value
from workflows.management.refusals import blaming
from workflows.management.runs import draw_run, run_data
from workflows.models import Run
from workflows.services import access
from workflows.services.pump import Pump
from workflows.services.waiting import wait_for
from workflows.states import RUN_FINAL, RunStatus

HELP = "Start a run of a workflow."
_LONG = 3600.0  # seconds that --wait waits when it is given none


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="Name of the workflow.")
    parser.add_argument(
        "--input", default="{}", metavar="JSON", help="A file, - for stdin, or JSON itself."
    )
    parser.add_argument("--key", help="Idempotency key: a second start with it is the same run.")
    parser.add_argument(
        "--version", type=int, dest="number", metavar="N", help="A version; the newest if left out."
    )
    parser.add_argument(
        "--wait",
        nargs="?",
        type=_seconds,
        const=_LONG,
        metavar="SECONDS",
        help="Wait for the end; exit code 1 when the run failed or is not over by then.",
    )
    add_person(parser, "starts it, and may not decide its approvals; needs the permission")


def run(options: Namespace) -> Answer:
    by = person(options.person)
    if by is not None:
        access.require(by, "start_run")
    data = read_value(options.input, "--input")
    with blaming("--input"):
        started = services.start(options.name, data, key=options.key, version=options.number, by=by)
    if options.wait is None:
        return Answer(
            {**run_data(started.run), "is_new": started.is_new},
            lambda console: _draw_start(console, started),
        )
    with _working() as pause:
        ended = wait_for(started.run.pk, options.wait, pause=pause)
    refusal = _refusal(ended, options.wait)
    return Answer(
        {**run_data(ended), "is_new": started.is_new},
        lambda console: draw_run(console, ended),
        code=FAILED if refusal else OK,
        refusal=refusal,
    )


@contextmanager
def _working() -> Iterator[Callable[[float], object] | None]:
    """Give what to do between two looks: where there are no workers, the waiting process works."""
    if conf.settings().dispatcher != "inline":
        yield None
        return
    with inline.use_mailbox(inline.Mailbox()) as box:
        pump = Pump(box)

        def work(seconds: float) -> None:
            pump.drain()
            pump.rest(seconds)

        yield work


def _draw_start(console: Console, started: services.Started) -> None:
    note = "Started" if started.is_new else "Started before with this key:"
    say(console, f"{note} run {started.run.pk}")
    say(console, f"Watch it: manage.py workflow show {started.run.pk}")


def _refusal(ended: Run, seconds: float) -> str:
    if ended.status == RunStatus.COMPLETED:
        return ""
    look = f"Look at it: manage.py workflow show {ended.pk} --history"
    if ended.status in RUN_FINAL:
        return f"The run is {ended.status}. {look}"
    if ended.status == RunStatus.SUSPENDED:
        return f"The run is asleep after {seconds:g} s: it waits for what is listed above. {look}"
    return f"The run is {ended.status} after {seconds:g} s, and goes on by itself. {look}"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 10 * 86400:
        message = f"{text!r} is no number of seconds from 0 to 864000"
        raise ArgumentTypeError(message)
    return seconds
