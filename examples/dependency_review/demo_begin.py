"""Reads what the demo is told, and sets Django up for it."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import django

from examples.dependency_review.demo_people import ApiRefusedError
from examples.dependency_review.distributions import (
    EnvironmentRefusedError,
    Listing,
    list_distributions,
)
from project import interrupts
from project.startup import stop_when_misconfigured

ROOT = Path(__file__).resolve().parents[2]
FAILED, CANNOT_BEGIN = 1, 2  # exit codes


def begin(arguments: Sequence[str] | None) -> int:
    """Review the environment that the arguments name; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="make demo", description="Review the packages of a site-packages folder."
    )
    parser.add_argument("--site", help="the folder (default: the one of this interpreter)")
    site = parser.parse_args(arguments).site
    try:
        # Asked before anything is started: a wrong path must not leave half a run.
        listing = list_distributions(site)
    except EnvironmentRefusedError as error:
        sys.stderr.write(f"demo: {error.message}\n")
        return CANNOT_BEGIN
    _use_own_folder()
    with stop_when_misconfigured():
        return _review(listing)


def _review(listing: Listing) -> int:
    django.setup()
    from examples.dependency_review.demo_run import review  # noqa: PLC0415 - after the set-up

    try:
        with interrupts.raising():
            return review(listing)
    except ApiRefusedError as error:
        sys.stderr.write(f"demo: {error}\n")
        return FAILED


def _use_own_folder() -> None:
    """Keep what belongs to the demo apart, so that it can run beside `make up`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    var = Path(os.environ.get("CELERIAC_VAR") or ROOT / "var")
    os.environ["CELERIAC_VAR"] = str(var / "demo")
