"""secret set|list|delete|reseal|new-key: what nodes send to other systems and never show."""

import sys
from argparse import ArgumentParser, Namespace

from rich.console import Console

from workflows.effects.sealing import new_key
from workflows.management.answers import Answer, counted, row, say, table, when
from workflows.management.arguments import add_person, one_of, person
from workflows.management.refusals import UsageError
from workflows.selectors.secrets import secrets
from workflows.services import access
from workflows.services import secrets as keeping

HELP = "Keep secrets that http nodes name: the value comes on standard input and is never shown."
_ACTIONS = ("set", "list", "delete", "reseal", "new-key")
_NEEDS: dict[str, access.Action] = {
    "set": "change_secret",
    "delete": "delete_secret",
    "list": "view_secret",
    "reseal": "change_secret",
}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "action",
        type=one_of(_ACTIONS),
        choices=_ACTIONS,
        help="reseal encrypts all with the newest key; new-key makes one for the settings.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="Of set and delete.")
    parser.add_argument(
        "--host",
        action="append",
        metavar="HOST",
        help="The secret may only be sent there; given as '' it may be sent anywhere again.",
    )
    add_person(parser, "does this; needs the permission for it")


def run(options: Namespace) -> Answer:
    by = person(options.person)
    if by is not None and options.action in _NEEDS:
        access.require(by, _NEEDS[options.action])
    named = options.action in {"set", "delete"}
    if named != (options.name is not None):
        message = "needs the NAME of a secret" if named else "takes no NAME"
        raise UsageError(f"secret {options.action} {message}.")
    match options.action:
        case "set":
            return _set(options)
        case "delete":
            keeping.delete_secret(options.name)
            return _said({"deleted": options.name}, f"Secret {options.name} deleted.")
        case "reseal":
            count = keeping.reseal_secrets()
            return _said({"resealed": count}, f"{counted(count, 'secret')} sealed anew.")
        case "new-key":
            key = new_key()
            return _said({"key": key}, key)
        case _:
            return _list()


def _set(options: Namespace) -> Answer:
    # What was typed ends with Enter, and no key does.
    value = sys.stdin.read(keeping.LONGEST + 2).removesuffix("\n").removesuffix("\r")
    hosts = [host for host in options.host if host] if options.host is not None else None
    is_new = keeping.set_secret(options.name, value, hosts=hosts, by=person(options.person))
    note = "kept" if is_new else "changed"
    return _said({"set": options.name, "is_new": is_new}, f"Secret {options.name} {note}.")


def _list() -> Answer:
    found = list(secrets())

    def draw(console: Console) -> None:
        if not found:
            say(console, "There are none. Keep one: manage.py workflow secret set NAME < FILE")
            return
        drawn = table("secret", "hosts", "changed", "by")
        for each in found:
            by = each.updated_by.get_username() if each.updated_by else ""
            drawn.add_row(*row(each.name, " ".join(each.hosts), when(each.updated_at), by))
        console.print(drawn)

    told = [{"name": each.name, "hosts": each.hosts, "changed": each.updated_at} for each in found]
    return Answer({"secrets": told}, draw)


def _said(data: dict[str, object], line: str) -> Answer:
    return Answer(data, lambda console: say(console, line))
