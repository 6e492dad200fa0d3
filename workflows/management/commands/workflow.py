"""`manage.py workflow <verb>`: publish, start, watch, answer and try workflows."""

import json
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from rich.console import Console

from workflows.errors import CeleriacError
from workflows.management.answers import FAILED, REFUSED, Answer, plain
from workflows.management.refusals import describe, next_step
from workflows.management.verbs import verbs

#: Where no terminal says how wide it is: tables are read by people and `grep` alike.
_WIDTH = 160


class Command(BaseCommand):
    """One verb each; exit code 0 done, 2 bad input or refused, 1 anything else that failed."""

    help = "Publish, start, watch, answer and try workflows."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        found = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for name, verb in verbs().items():
            sub = found.add_parser(name, help=verb.HELP, description=verb.HELP)
            verb.add_arguments(sub)
            sub.add_argument(
                "--json", action="store_true", dest="as_json", help="One JSON object on stdout."
            )
            # Django's own options stand before the verb; this one is wanted behind it too.
            sub.add_argument("--no-color", action="store_true", default=SUPPRESS, help=SUPPRESS)

    def handle(self, *_args: Any, **options: Any) -> None:
        code = self._answer(Namespace(**options))
        self.stdout.flush()
        if code:
            sys.exit(code)

    def _answer(self, options: Namespace) -> int:
        try:
            answer = verbs()[options.verb].run(options)
        except CeleriacError as error:
            return self._refuse(options, error)
        except DatabaseError as error:
            return self._fail(options, error)
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")
            return 130
        self._show(options, answer)
        if answer.refusal:
            self._complain(answer.refusal)
        return answer.code

    def _show(self, options: Namespace, answer: Answer) -> None:
        if options.as_json:
            self._dump(answer.data)
        else:
            answer.draw(self._console(options))

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

    def _dump(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=str))

    def _complain(self, message: str) -> None:
        self.stderr.write(plain(message))

    def _console(self, options: Namespace) -> Console:
        return Console(
            file=self.stdout,  # type: ignore[arg-type]  # it writes, flushes and knows isatty
            no_color=bool(options.no_color) or None,
            highlight=False,
            markup=False,
            emoji=False,
            width=None if self.stdout.isatty() else _WIDTH,
        )


def _has_unapplied_migrations() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return False
