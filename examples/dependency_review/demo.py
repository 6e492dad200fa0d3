"""`make demo`: one review from end to end, decided by two demo people over the REST API.

python -m examples.dependency_review.demo [--site PATH]

Exit code 0 when the review accepted or rejected, 1 when it failed, 2 when it cannot begin.
"""

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
from project.startup import stop_when_misconfigured

ROOT = Path(__file__).resolve().parents[2]
FAILED, CANNOT_BEGIN, INTERRUPTED = 1, 2, 130  # exit codes


def main(arguments: Sequence[str] | None = None) -> int:
    """Review the environment that the arguments name; return the exit code."""
    try:
        return _begin(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return INTERRUPTED


def _begin(arguments: Sequence[str] | None) -> int:
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
        return review(listing)
    except ApiRefusedError as error:
        sys.stderr.write(f"demo: {error}\n")
        return FAILED


def _use_own_folder() -> None:
    """Keep what belongs to the demo apart, so that it can run beside `make up`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    var = Path(os.environ.get("CELERIAC_VAR") or ROOT / "var")
    os.environ["CELERIAC_VAR"] = str(var / "demo")


if __name__ == "__main__":
    sys.exit(main())
