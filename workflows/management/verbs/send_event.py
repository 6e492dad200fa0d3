"""send-event TYPE: hand an event to the runs that wait for it."""

from argparse import ArgumentParser, Namespace

from rich.console import Console

from workflows import services
from workflows.management.answers import Answer, counted, say
from workflows.management.arguments import add_person, one_of, person, read_value
from workflows.services import access

HELP = "Send an event; one that nobody waits for yet is kept for its wait."
_DELIVER = ("one", "all")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("type", metavar="TYPE", help="Type of the event.")
    parser.add_argument("--key", default="", help="Correlation key.")
    parser.add_argument(
        "--data", default=None, metavar="JSON", help="A file, - for stdin, or JSON itself."
    )
    parser.add_argument("--source", default="cli", help="Who sends it (cli).")
    parser.add_argument("--id", dest="external_id", help="Unique within the source; new if absent.")
    parser.add_argument(
        "--deliver",
        type=one_of(_DELIVER),
        choices=_DELIVER,
        default="one",
        help="To one wait or to all (one).",
    )
    add_person(parser, "sends; needs the permission for it")


def run(options: Namespace) -> Answer:
    by = person(options.person)
    if by is not None:
        access.require(by, "send_event")
    receipt = services.send_event(
        options.type,
        key=options.key,
        data=None if options.data is None else read_value(options.data, "--data"),
        source=options.source,
        external_id=options.external_id,
        deliver=options.deliver,
    )
    data = {
        "source": receipt.event.source,
        "id": receipt.event.external_id,
        "type": receipt.event.type,
        "key": receipt.event.key,
        "is_new": receipt.is_new,
        "woke": [str(each) for each in receipt.woke],
    }
    return Answer(data, lambda console: _draw(console, receipt))


def _draw(console: Console, receipt: services.Receipt) -> None:
    name = f"{receipt.event.type} {receipt.event.external_id}"
    if not receipt.is_new:
        say(console, f"Event {name} had come before; nothing was changed.")
    elif receipt.woke:
        say(console, f"Event {name} reached {counted(len(receipt.woke), 'wait')}.")
    else:
        say(console, f"Event {name} is kept until {receipt.event.expires_at:%Y-%m-%d %H:%M} UTC.")
