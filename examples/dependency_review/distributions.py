"""Lists the distributions that are installed in a site-packages folder."""

import os
import re
import sysconfig
from pathlib import Path

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from examples.dependency_review.metadata import MetadataError, read_metadata


class Distribution(TypedDict):
    """One installed distribution: its normalised name, its version, its `*.dist-info` folder."""

    name: str
    version: str
    folder: str


class Unreadable(TypedDict):
    """One `*.dist-info` folder whose metadata cannot be read, and why."""

    folder: str
    reason: str


class Listing(TypedDict):
    """What is installed; packages in the order of (name, version), the rest by folder."""

    environment: str
    packages: list[Distribution]
    unreadable: list[Unreadable]


class EnvironmentRefusedError(Exception):
    """The folder cannot be reviewed; `code` says whether it is not there or holds nothing."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def list_distributions(environment: str | None = None) -> Listing:
    """Return what is installed in a folder, or in the running environment.

    A distribution is a `*.dist-info` folder directly in the folder; egg-info is not looked at.
    Raises EnvironmentRefusedError: `environment_not_found`, `environment_empty`.
    """
    site = resolve_environment(environment)
    packages: list[Distribution] = []
    unreadable: list[Unreadable] = []
    for folder in _dist_info_folders(site):
        try:
            packages.append(_read(folder))
        except MetadataError as error:
            unreadable.append({"folder": printable(folder.name), "reason": str(error)})
    if not packages and not unreadable:
        raise _empty(site)
    packages.sort(key=lambda found: (found["name"], found["version"], found["folder"]))
    unreadable.sort(key=lambda found: (found["folder"], found["reason"]))
    return {"environment": str(site), "packages": packages, "unreadable": unreadable}


def resolve_environment(environment: str | None) -> Path:
    """Return the absolute path of the folder; None is the site-packages of this interpreter."""
    if environment is None:
        environment = sysconfig.get_path("purelib")
    try:
        site = Path(environment).resolve()
        is_there = site.is_dir()
    except (OSError, RuntimeError, ValueError):  # too long, a ring of links, a NUL
        site, is_there = Path(environment), False
    if not is_there:
        raise EnvironmentRefusedError(
            "environment_not_found",
            f"There is no folder {printable(str(site))}: give the path of a site-packages folder.",
        )
    return site


def why_not_reviewed(environment: str) -> str | None:
    """Return why a folder cannot be reviewed, or None: asked before a run is started."""
    try:
        site = resolve_environment(environment)
        if not _dist_info_folders(site):
            raise _empty(site)
    except EnvironmentRefusedError as error:
        return error.message
    return None


def _empty(site: Path) -> EnvironmentRefusedError:
    return EnvironmentRefusedError(
        "environment_empty",
        f"No *.dist-info folder is in {site}: give the path of a site-packages folder.",
    )


def normalise(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def printable(text: str) -> str:
    """Return a file name as text that can be stored: bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(text).decode("utf-8", "replace").replace("\0", "\ufffd")


def _dist_info_folders(site: Path) -> list[Path]:
    try:
        return [path for path in site.iterdir() if _is_dist_info(path)]
    except OSError as error:
        raise EnvironmentRefusedError(
            "environment_not_found", f"The folder {site} cannot be read: {error.strerror}."
        ) from error


def _is_dist_info(path: Path) -> bool:
    return path.name.endswith(".dist-info") and path.is_dir()


def _read(folder: Path) -> Distribution:
    if printable(folder.name) != folder.name:
        raise MetadataError("the folder's name is not UTF-8")
    metadata = read_metadata(folder)
    return {
        "name": normalise(metadata.name),
        "version": metadata.version,
        "folder": folder.name,
    }
