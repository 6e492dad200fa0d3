"""publish FILE..: store definitions as immutable versions."""

from argparse import ArgumentParser, Namespace
from typing import Any

from django.db import transaction
from rich.console import Console

from workflows import services
from workflows.management.answers import Answer, say
from workflows.management.arguments import add_person, person, read_text
from workflows.management.refusals import lines
from workflows.services import access

HELP = "Store definitions as new versions; what is stored already stays as it is."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="YAML or JSON; - for stdin.")
    add_person(parser, "publishes; needs the permission for it")


def run(options: Namespace) -> Answer:
    by = person(options.person)
    if by is not None:
        access.require(by, "publish_workflow")
    texts = [(name, read_text(name)) for name in options.files]
    beside = services.contents_of(texts)
    # All or none: workflows that belong together are published together.
    with transaction.atomic():
        done = [
            (name, services.publish(text, source=name, by=by, beside=beside))
            for name, text in texts
        ]

    def draw(console: Console) -> None:
        for name, published in done:
            for line in lines(published.warnings, name):
                say(console, line)
            note = "published" if published.is_new else "was published before, unchanged"
            say(console, f"{published.version} {note}.")

    return Answer({"published": [_told(name, published) for name, published in done]}, draw)


def _told(name: str, published: services.Published) -> dict[str, Any]:
    version = published.version
    return {
        "file": name,
        "workflow": version.workflow.name,
        "version": version.number,
        "digest": version.digest,
        "is_new": published.is_new,
        "warnings": [warning.as_dict() for warning in published.warnings],
    }
