"""doctor: look whether everything that runs need is there, and say how to mend what is not."""

from argparse import ArgumentParser, Namespace

from rich.console import Console

from workflows.management.answers import FAILED, OK, Answer, counted, say, status_text
from workflows.management.checkup import Finding, examine

HELP = "Check database, broker, workers, sweeper and clocks, and say how to mend what is wrong."


def add_arguments(parser: ArgumentParser) -> None:
    """It takes none of its own."""


def run(_options: Namespace) -> Answer:
    findings = list(examine())
    failed = sum(finding.status == "fail" for finding in findings)
    data = {"healthy": not failed, "findings": [finding.as_dict() for finding in findings]}
    return Answer(
        data,
        lambda console: _draw(console, findings),
        code=FAILED if failed else OK,
        refusal=f"{counted(failed, 'check')} failed; each says how to mend it." if failed else "",
    )


def _draw(console: Console, findings: list[Finding]) -> None:
    for finding in findings:
        mark = status_text(finding.status)
        pad = " " * (5 - len(finding.status))
        say(console, mark, f"{pad}{finding.check:<14} {finding.message}")
        if finding.mend:
            say(console, f"     {'':<14} {finding.mend}")
