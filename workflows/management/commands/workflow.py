"""`manage.py workflow <verb>`: publish, start, watch, answer and try workflows."""

import json
import os
import signal
import sys
import threading
from argparse import REMAINDER, SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from argparse import RawDescriptionHelpFormatter as Raw
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO, TextIOWrapper
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from rich.console import Console

from workflows.dispatch.celery import unsent_messages
from workflows.errors import CeleriacError, suggest
from workflows.management.answers import FAILED, INTERRUPTED, OK, REFUSED, Answer, plain
from workflows.management.arguments import require_text
from workflows.management.refusals import describe, next_step
from workflows.management.verbs import verbs

#: Where no terminal says how wide it is: tables are read by people and `grep` alike.
_WIDTH = 160
_UNSENT = (
    "The broker does not take messages just now. Nothing is lost: what was started is kept, and "
    "goes on when the broker is back. Look: manage.py workflow doctor"
)


class _Formatter(DjangoHelpFormatter, Raw):
    """Leaves the list of verbs as it is, one a line."""


class Command(BaseCommand):
    """One verb each; exit code 0 done, 2 bad input or refused, 1 anything else that failed."""

    help = "Publish, start, watch, answer and try workflows."
    requires_system_checks = []
    _prog = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.usage = "%(prog)s [options] VERB ..."
        parser.formatter_class = _Formatter
        parser.epilog = _overview()
        parser.add_argument(
            "verb", nargs="?", type=_verb, metavar="VERB", help="One of those below."
        )
        parser.add_argument("words", nargs=REMAINDER, help=SUPPRESS)
        self._prog = parser.prog

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["verb"] is None:
            self.stdout.write(_overview())
            return
        if isinstance(sys.stdout, TextIOWrapper):  # not one that a caller of Python has put there
            sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may not know a letter
        try:
            with _interruptible():
                code = self._answer(self._read(options))
                self.stdout.flush()
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")
            code = INTERRUPTED
        except BrokenPipeError:  # whoever read has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = FAILED
        if code != OK:
            sys.exit(code)

    def _read(self, options: dict[str, Any]) -> Namespace:
        """Return the options with what stands behind the verb; exits with 2 when that is wrong."""
        name, words = options["verb"], options.pop("words")
        parser = CommandParser(
            prog=f"{self._prog} {name}",
            description=verbs()[name].HELP,
            called_from_command_line=getattr(self, "_called_from_command_line", False),
        )
        verbs()[name].add_arguments(parser)
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="One JSON object on stdout."
        )
        # Django's own options stand before the verb; this one is wanted behind it too.
        parser.add_argument("--no-color", action="store_true", default=SUPPRESS, help=SUPPRESS)
        found, unknown = parser.parse_known_args(words, Namespace(**options, words=words))
        if unknown:
            known = {word for each in parser._actions for word in each.option_strings}  # noqa: SLF001 - no door
            near = suggest(unknown[0].partition("=")[0], known)
            parser.error(f"unrecognized arguments: {' '.join(unknown)}{near}")
        return found

    def _answer(self, options: Namespace) -> int:
        try:
            require_text(options.words)
            with unsent_messages() as unsent:
                answer = verbs()[options.verb].run(options)
        except CeleriacError as error:
            return self._refuse(options, error)
        except DatabaseError as error:
            return self._fail(options, error)
        if answer.lines is not None:
            return max((self._write_line(*each) for each in answer.lines), default=OK)
        self._show(options, answer)
        if answer.refusal:
            self._complain(answer.refusal)
        if unsent:
            self._complain(_UNSENT)
        return answer.code

    def _show(self, options: Namespace, answer: Answer) -> None:
        if options.as_json:
            self._dump(answer.data)
        else:
            self._draw(answer, options)

    def _draw(self, answer: Answer, options: Namespace) -> None:
        """Draw for people; into a file or a pipe without the blanks that fill up a table."""
        if self.stdout.isatty():
            answer.draw(self._console(options, self.stdout))
            return
        drawn = StringIO()
        answer.draw(self._console(options, drawn))
        for line in drawn.getvalue().split("\n")[:-1]:
            self.stdout.write(line.rstrip() + "\n")

    def _refuse(self, options: Namespace, error: CeleriacError) -> int:
        if options.as_json:
            kept = {"code": error.code, "message": error.message, **error.details}
            self._dump({"error": kept})
        self._complain(describe(error) + "\n" + next_step(error, options.verb))
        return REFUSED

    def _fail(self, options: Namespace, error: DatabaseError) -> int:
        """Say that tables are missing; any other database error is a fault and keeps its trace."""
        if not _has_unapplied_migrations():
            raise error
        message = "The database has no tables for this version of Celeriac yet."
        if options.as_json:
            self._dump({"error": {"code": "not_migrated", "message": message}})
        self._complain(f"{message}\nRun `manage.py migrate`, then try again.")
        return FAILED

    def _write_line(self, data: Any, code: int) -> int:
        """Write one result of many at once: whoever reads need not wait for the last."""
        self._dump(data, indent=None)
        self.stdout.flush()
        return code

    def _dump(self, data: Any, indent: int | None = 2) -> None:
        is_utf8 = (self.stdout.encoding or "utf-8").lower() == "utf-8"
        self.stdout.write(json.dumps(data, indent=indent, ensure_ascii=not is_utf8, default=str))

    def _complain(self, message: str) -> None:
        self.stderr.write(plain(message))

    def _console(self, options: Namespace, file: Any) -> Console:
        return Console(
            file=file,
            no_color=bool(options.no_color) or None,
            highlight=False,
            markup=False,
            emoji=False,
            width=None if self.stdout.isatty() else _WIDTH,
        )


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C raise while a verb works, whatever it did while everything was loaded."""
    before = signal.getsignal(signal.SIGINT)
    is_ours = threading.current_thread() is threading.main_thread() and callable(before)
    if is_ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, before)


def _has_unapplied_migrations() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return False


def _verb(text: str) -> str:
    if text not in verbs():
        near = suggest(text, set(verbs()))
        message = f"{text!r} is no verb{near}; it can be {', '.join(verbs())}"
        raise ArgumentTypeError(message)
    return text


def _overview() -> str:
    """Return every verb with what it does, one a line."""
    width = max(map(len, verbs()))
    lines = [f"  {name:<{width}}  {verb.HELP}" for name, verb in verbs().items()]
    return "\n".join(["Verbs, each of which has --help:", *lines])
