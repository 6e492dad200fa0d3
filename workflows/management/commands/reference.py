"""`manage.py reference`: write the generated pages of the documentation, or compare them."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from workflows.management.reference import pages


class Command(BaseCommand):
    """Writes `docs/reference/`; with `--check` only says what differs, and exits with 1."""

    help = "Write the generated reference pages, or compare them with --check."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 if stale.")
        folder = Path(settings.BASE_DIR) / "docs" / "reference"
        parser.add_argument("--folder", type=Path, default=folder, help="Where the pages are.")

    def handle(self, *_args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        made = pages()
        stale = [name for name, text in made.items() if _text(folder / name) != text]
        if options["check"]:
            self._report(stale)
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name in stale:
            (folder / name).write_text(made[name], encoding="utf-8")
        self.stdout.write(f"{len(stale)} of {len(made)} pages written to {folder}.")

    def _report(self, stale: list[str]) -> None:
        if stale:
            self.stderr.write(f"Out of date: {', '.join(stale)}. Run `manage.py reference`.")
            sys.exit(1)
        self.stdout.write("The reference pages are up to date.")


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
