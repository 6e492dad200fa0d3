"""Inspects one installed distribution: its licence, and whether its files are as installed."""

from collections.abc import Callable
from pathlib import Path

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from examples.dependency_review.distributions import Distribution
from examples.dependency_review.licences import choose_licence
from examples.dependency_review.metadata import MetadataError, read_metadata
from examples.dependency_review.records import compare, no_sign, read_record


class Inspection(TypedDict):
    """What was found out about one distribution; the paths are as its RECORD writes them."""

    name: str
    version: str
    licence: str
    record: bool
    missing: list[str]
    mismatched: list[str]
    files: int
    bytes: int
    native: bool


class EnvironmentChangedError(Exception):
    """A distribution that was listed is no longer as it was."""


def inspect_distribution(
    environment: Path, distribution: Distribution, *, alive: Callable[[], None] = no_sign
) -> Inspection:
    """Return the findings about one distribution. Raises EnvironmentChangedError.

    `alive` is called often, while files are read: a large one can take a while.
    """
    folder = environment / distribution["folder"]
    try:
        licence = choose_licence(read_metadata(folder))
    except MetadataError as error:
        raise EnvironmentChangedError(
            f"{distribution['folder']} changed while it was reviewed: {error}. "
            "Start the review again when nothing is being installed."
        ) from error
    rows = read_record(folder)
    found = compare(environment, rows or (), alive=alive)
    return {
        "name": distribution["name"],
        "version": distribution["version"],
        "licence": licence,
        "record": rows is not None,
        "missing": found.missing,
        "mismatched": found.mismatched,
        "files": found.files,
        "bytes": found.bytes,
        "native": found.native,
    }
