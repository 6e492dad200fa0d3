"""Reads the METADATA file of one installed distribution: its headers, and nothing else.

The format is the core metadata of the Python packaging user guide: UTF-8, e-mail headers. What
follows the first blank line is the long description; it is never looked at.
"""

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from email.policy import Compat32
from pathlib import Path

_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n|\r\r")
_END_OF_LINE = re.compile(r"\r\n|\r|\n")


class MetadataError(Exception):
    """The metadata cannot be read; the text is the reason, without any path of this machine."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The headers that a review needs; a header that is absent is blank."""

    name: str
    version: str
    license_expression: str = ""
    license: str = ""  # the first line only
    classifiers: tuple[str, ...] = ()


class _AsWritten(Compat32):
    """Keeps a value as it is written; newer Pythons would drop a blank first line."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = sourcelines[0].split(":", 1)
        return name, "".join([value, *sourcelines[1:]])


def read_metadata(folder: Path) -> Metadata:
    """Return the metadata of one `*.dist-info` folder. Raises MetadataError."""
    headers = HeaderParser(policy=_AsWritten()).parsestr(_header_text(folder / "METADATA"))
    return Metadata(
        name=_needed(headers, "Name"),
        version=_needed(headers, "Version"),
        license_expression=_unfolded(str(headers["License-Expression"] or "")),
        license=_first_line(str(headers["License"] or "")),
        classifiers=tuple(_unfolded(str(line)) for line in headers.get_all("Classifier", [])),
    )


def _header_text(path: Path) -> str:
    try:
        # A pipe or a device of that name must not be opened: it could block for ever.
        content = path.read_bytes() if path.is_file() else None
        is_there = path.exists()
    except OSError as error:
        raise MetadataError(f"METADATA cannot be opened: {error.strerror}") from error
    if content is None:
        raise MetadataError("METADATA is not a file" if is_there else "there is no METADATA file")
    head = _END_OF_HEADERS.split(content, maxsplit=1)[0]
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MetadataError(f"METADATA is not UTF-8 (byte {error.start})") from error
    if "\0" in text:
        raise MetadataError(f"METADATA is not text (NUL at character {text.index(chr(0))})")
    return text


def _needed(headers: Message, name: str) -> str:
    value = _unfolded(str(headers[name] or ""))
    if not value:
        raise MetadataError(f"METADATA has no {name}")
    return value


def _unfolded(value: str) -> str:
    return " ".join(value.split())


def _first_line(value: str) -> str:
    return _END_OF_LINE.split(value, maxsplit=1)[0].strip()
