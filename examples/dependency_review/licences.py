"""Chooses the one text that stands for a distribution's licence."""

from examples.dependency_review.metadata import Metadata

UNKNOWN = "unknown"
LONGEST_LICENCE = 60  # a longer first line is the licence itself, not its name


def choose_licence(metadata: Metadata) -> str:
    """Return the licence text: the first of four sources that says something.

    `License-Expression`; the `License ::` classifiers; the first line of `License`; `unknown`.
    """
    return (
        metadata.license_expression
        or _from_classifiers(metadata.classifiers)
        or _from_first_line(metadata.license)
        or UNKNOWN
    )


def _from_classifiers(classifiers: tuple[str, ...]) -> str:
    parts = [[part.strip() for part in line.split("::")] for line in classifiers]
    last = {path[-1] for path in parts if path[0] == "License" and len(path) > 1}
    return " OR ".join(sorted(last - {"OSI Approved", ""}))


def _from_first_line(line: str) -> str:
    return "" if line == "UNKNOWN" or len(line) > LONGEST_LICENCE else line
