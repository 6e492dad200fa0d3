"""Reads a distribution's RECORD and compares it with the files that are really there.

RECORD is CSV of (path, digest, size). Paths are relative to the folder that holds the
`*.dist-info` folder and may lead out of it (`../../../bin/tool`); digests are
`algorithm=urlsafe-base64-without-padding`. What cannot be compared counts against the file.
"""

import base64
import csv
import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from examples.dependency_review.distributions import printable

CHUNK = 1 << 20  # bytes that are read at once
NATIVE_SUFFIXES = (".so", ".pyd", ".dylib")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of RECORD; the digest is blank where none is given."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Paths as RECORD writes them, sorted, each once; `files` and `bytes` of what exists."""

    missing: list[str]
    mismatched: list[str]
    files: int
    bytes: int
    native: bool


def read_record(folder: Path) -> list[Row] | None:
    """Return the rows of a `*.dist-info` folder's RECORD, or None when none can be read."""
    path = folder / "RECORD"
    try:
        # A pipe or a device of that name must not be opened: it could block for ever.
        content = path.read_bytes() if path.is_file() else None
    except OSError:
        return None
    return None if content is None else _rows(content)


def no_sign() -> None:
    """Tell nobody that the work goes on."""


def compare(site: Path, rows: Iterable[Row], *, alive: Callable[[], None] = no_sign) -> Comparison:
    """Compare each row that has a digest with its file below (or outside of) `site`."""
    missing: set[str] = set()
    mismatched: set[str] = set()
    sizes: dict[str, int] = {}
    for row in rows:
        file = os.path.normpath(os.path.join(site, row.path))  # noqa: PTH118 - keeps NUL as is
        size = _size(file)
        if size is not None:
            sizes[file] = size
        if row.digest and size is None:
            missing.add(printable(row.path))
        elif row.digest and not _has_digest(file, row.digest, alive=alive):
            mismatched.add(printable(row.path))
    native = any(file.endswith(NATIVE_SUFFIXES) for file in sizes)
    return Comparison(sorted(missing), sorted(mismatched), len(sizes), sum(sizes.values()), native)


def _rows(content: bytes) -> list[Row] | None:
    text = content.decode("utf-8-sig", "surrogateescape")  # as Python names such files
    try:
        # Strict: an unclosed quote would otherwise swallow the rows that follow it.
        return list(_meant(csv.reader(io.StringIO(text, newline=""), strict=True)))
    except csv.Error:
        return None


def _meant(lines: Iterable[list[str]]) -> Iterator[Row]:
    for line in lines:
        if any(line):
            yield Row(line[0], line[1].strip() if len(line) > 1 else "")


def _size(file: str) -> int | None:
    """Return the size of a regular file (links are followed), None if there is none."""
    try:
        found = os.stat(file)  # noqa: PTH116 - the path may hold anything
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _has_digest(file: str, digest: str, *, alive: Callable[[], None]) -> bool:
    algorithm, _, expected = digest.partition("=")
    expected = expected.rstrip("=")
    if not expected:
        return False
    try:
        hashed = hashlib.new(algorithm)
        with open(file, "rb") as opened:  # noqa: PTH123 - the path may hold anything
            while chunk := opened.read(CHUNK):
                hashed.update(chunk)
                alive()
    except (OSError, ValueError):  # unreadable, or no such algorithm
        return False
    return (
        base64.urlsafe_b64encode(_digest(hashed, len(expected))).rstrip(b"=") == expected.encode()
    )


def _digest(hashed: "hashlib._Hash", text_length: int) -> bytes:
    if hashed.digest_size:
        return hashed.digest()
    return hashed.digest(text_length * 3 // 4)  # type: ignore[call-arg] # shake: any length
