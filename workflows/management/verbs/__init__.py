"""The verbs of `manage.py workflow`: one module each, found by its name.

A module has `HELP`, `add_arguments(parser)` and `run(options)`, which returns an `Answer`.
"""

import pkgutil
from argparse import ArgumentParser, Namespace
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from workflows.management.answers import Answer


class Verb(Protocol):
    """What a module in this folder has."""

    HELP: str

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """Declare the arguments."""

    @staticmethod
    def run(options: Namespace) -> Answer:
        """Do it. Raises CeleriacError for what is refused."""


@cache
def verbs() -> dict[str, Verb]:
    """Return every verb by the name that people type."""
    names = [info.name for info in pkgutil.iter_modules(__path__)]
    # A trailing underscore keeps a Python word from being a module's name.
    return {
        name.rstrip("_").replace("_", "-"): cast("Verb", import_module(f"{__name__}.{name}"))
        for name in names
    }
