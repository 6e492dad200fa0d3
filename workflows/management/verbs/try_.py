"""try FILE: run a definition to its end here and now, without a server, and tell what happened."""

import json
from argparse import ArgumentParser, Namespace
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from rich.console import Console

from workflows import clock
from workflows.errors import DefinitionError, Problem
from workflows.management.answers import (
    FAILED,
    OK,
    REFUSED,
    Answer,
    counted,
    plain,
    row,
    say,
    status_text,
    table,
)
from workflows.management.arguments import read_lines, read_text, read_value
from workflows.management.refusals import UsageError, blaming, lines
from workflows.selectors.runs import kind_in_words
from workflows.testing.beside import called_beside
from workflows.testing.cases import run_cases
from workflows.testing.script import Entry, read_script, read_stubs
from workflows.testing.stubs import Stubs
from workflows.testing.trial import Trial

HELP = "Run a definition to its end in process: virtual time, scripted activities, no server."
_WIDEST = 200  # characters of an output in the table
_WIDEST_OUTPUT = 4000  # and of the run's own, which most people try for
_MOST_CHILDREN = 20  # of one run, in the drawing
_CODES = {"completed": OK, "suspended": OK, "invalid": REFUSED}
#: What a report blames when it is no definition, and what to do then.
_OPTIONS = {"input": "--input", "events": "--events", "stubs": "--stubs"}
_NEXT = {
    "input": "Give the input that the workflow asks for with --input: a file, - or JSON itself.",
    "events": "Mend that entry of --events and try again.",
}
_STUBBED = {
    "unknown_activity": "Register the activity, or give its answers with --stubs.",
    "not_allowed": "Allow the kind by its setting, or give its answers with --stubs.",
}
#: Time goes on from the start, and must not leave the calendar.
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
_moments: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="The definition; - for stdin.")
    parser.add_argument(
        "--cases",
        metavar="FILE",
        help="Try many: one JSON object a line, `{id, definition, workflows, input, stubs, "
        "events}`; - for stdin. One line of JSON is written for each.",
    )
    parser.add_argument(
        "--input", default="{}", metavar="JSON", help="A file, - for stdin, or JSON itself."
    )
    parser.add_argument(
        "--stubs",
        metavar="JSON",
        help="Answers of activities and tasks: {name: [{output: ...}, ...]}.",
    )
    parser.add_argument(
        "--events", metavar="JSON", help="What comes when: [{at: PT5S, event: {...}}, ...]."
    )
    parser.add_argument("--seed", type=int, help="Shuffle what can move at the same moment.")
    parser.add_argument("--now", metavar="TIME", help="Virtual time of the start (RFC 3339).")
    parser.add_argument(
        "--real-activities",
        action="store_true",
        help="Call activities and tasks that have no stub.",
    )


def run(options: Namespace) -> Answer:
    if options.cases is not None:
        return _run_cases(options)
    if options.file is None:
        raise UsageError("Give the FILE of a definition, or --cases with many of them.")
    text = read_text(options.file)
    trial = Trial(
        text,
        source=options.file,
        others=called_beside(text, options.file) if options.file != "-" else {},
        stubs=_stubs(options.stubs),
        script=_script(options.events),
        seed=options.seed,
        starts_at=_moment(options.now),
        with_real_activities=options.real_activities,
    )
    report = trial.run(read_value(options.input, "--input"))
    return Answer(
        report,
        lambda console: _draw(console, report, options),
        code=_CODES.get(report["status"], FAILED),
        refusal=_refusal(report, options),
    )


def _stubs(argument: str | None) -> Stubs:
    with blaming("--stubs"):
        return read_stubs(read_value(argument, "--stubs")) if argument else {}


def _script(argument: str | None) -> list[Entry]:
    with blaming("--events"):
        return read_script(read_value(argument, "--events")) if argument else []


def _refusal(report: dict[str, Any], options: Namespace) -> str:
    if report["status"] in ("completed", "suspended"):
        return ""
    error = report["error"] or {}
    told = error.get("message") or report["reason"]
    if report["problems"]:
        told = f"{counted(len(report['problems']), 'problem')}, listed above."
    return f"{_source(report, options)}: {report['status']}: {told}\n{_next(report)}"


def _run_cases(options: Namespace) -> Answer:
    alone = {"FILE": options.file, "--stubs": options.stubs, "--events": options.events}
    alone["--input"] = options.input if options.input != "{}" else None
    for name, value in alone.items():
        if value is not None:
            raise UsageError(f"{name} does not go with --cases: each case has its own.")
    settings = {
        "seed": options.seed,
        "starts_at": _moment(options.now),
        "with_real_activities": options.real_activities,
    }
    results = run_cases(read_lines(options.cases), **settings)
    lines = ((each.report, OK if each.is_case else REFUSED) for each in results)
    return Answer({}, lambda _console: None, lines=lines)


def _source(report: dict[str, Any], options: Namespace) -> str:
    """Return what is to blame: a definition, the input that does not fit it, or the events."""
    if report["error"] and report["error"]["code"] == DefinitionError.code:
        return str(report["source"])
    return _OPTIONS.get(report.get("source", ""), str(options.file))


def _next(report: dict[str, Any]) -> str:
    if report["status"] != "invalid":
        return "Follow the steps above, or in `nodes` with --json, to see how it came to that."
    if report["source"] in _NEXT:
        return _NEXT[report["source"]]
    codes = {each["code"] for each in report["problems"]}
    steps = (step for code, step in _STUBBED.items() if code in codes)
    return next(steps, "Mend what is listed and try again.")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = _moments.validate_python(text)
    except ValidationError:
        message = f"--now {text!r} is no RFC 3339 time with its offset, like 2030-01-31T09:00:00Z."
        raise UsageError(message) from None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise UsageError(f"--now {text!r} is not between the years {_FIRST_YEAR} and {_LAST_YEAR}.")
    return moment


def _draw(console: Console, report: dict[str, Any], options: Namespace) -> None:
    for each in report["problems"]:
        _draw_problem(console, each, _source(report, options))
    if not report["problems"]:
        _draw_children(console, report)
        _draw_course(console, report)
    for each in report["unused"]:
        say(console, f"unused: {plain(json.dumps(each, ensure_ascii=False))}")
    for each in report["warnings"]:
        _draw_problem(console, each, _OPTIONS.get(each["source"], each["source"]))


def _draw_problem(console: Console, problem: dict[str, Any], source: str) -> None:
    known = {name: value for name, value in problem.items() if name != "source"}
    for line in lines([Problem(**known)], source):
        say(console, line)


def _draw_children(console: Console, report: dict[str, Any], place: str = "") -> None:
    """Draw what the child runs did, in the order of their starts; their own come before them."""
    for each in report["children"][:_MOST_CHILDREN]:
        here = f"{place}{each['node']} > "
        _draw_children(console, each, here)
        say(console, f"child run {here}{each['workflow']} v{each['version']}")
        say(console, f"input: {_short(json.dumps(each['input'], ensure_ascii=False))}")
        _draw_course(console, each)
        say(console, "")
    more = len(report["children"]) - _MOST_CHILDREN
    if more > 0:
        say(console, f"... and {more} more child runs (all of them with --json)\n")


def _draw_course(console: Console, report: dict[str, Any]) -> None:
    if report["nodes"]:
        console.print(_steps(report["nodes"]))
        say(console, "")
    verdict = f" ({report['result']})" if report["result"] else ""
    took = clock.spoken(timedelta(seconds=report["virtual_duration_s"]))
    say(console, status_text(report["status"]), verdict, f" after {took} of virtual time")
    if report["output"] is not None:
        told = json.dumps(report["output"], ensure_ascii=False)
        say(console, f"output: {_short(told, _WIDEST_OUTPUT)}")
    for each in report["suspensions"]:
        until = f", until {each['wake_at']}" if each["wake_at"] else ""
        event = f" for {each['event']!r} key {each['key'] or ''!r}" if each["event"] else ""
        say(console, f"{each['node']} waits ({each['kind']}){event} since {each['since']}{until}")


def _steps(nodes: list[dict[str, Any]]) -> Any:
    drawn = table("node", "kind", "from", "try", "status", "output or error")
    for each in nodes:
        told = json.dumps(each["error"] or each["output"], ensure_ascii=False)
        cells = (
            each["node"],
            kind_in_words(each["kind"], each["input"]),
            each["from"] or "",
            each["attempt"],
        )
        drawn.add_row(*row(*cells, status_text(each["status"]), _short(told)))
    return drawn


def _short(text: str, widest: int = _WIDEST) -> str:
    return text if len(text) <= widest else f"{text[:widest]} ... (all of it with --json)"
