"""Arguments that several verbs read alike: JSON, files, people."""

import json
import os
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser

from workflows.definition.parse import read_document
from workflows.errors import suggest
from workflows.management.refusals import FileError, JsonError, UsageError, UserUnknownError

#: No input or definition is larger; a file that is will not be read into memory.
MAX_FILE_BYTES = 64_000_000
_YAML = (".yaml", ".yml")
_SCALAR = re.compile(r"true|false|null|-?\d+(\.\d+)?", re.ASCII)


def add_person(parser: ArgumentParser, does: str) -> None:
    """Add `--as USER`."""
    parser.add_argument("--as", dest="person", metavar="USER", help=f"Name of the user who {does}.")


def one_of(names: Sequence[str]) -> Callable[[str], str]:
    """Return what reads one of a few words; another one is refused with the nearest of them."""

    def read(text: str) -> str:
        if text not in names:
            message = f"{text!r} is none of {', '.join(names)}{suggest(text, names)}"
            raise ArgumentTypeError(message)
        return text

    return read


def person(name: str | None) -> AbstractBaseUser | None:
    """Return the user with this name, or None when none was given. Raises UserUnknownError."""
    if name is None:
        return None
    users = get_user_model()
    field = users.USERNAME_FIELD
    found = users._default_manager.filter(**{field: name}).first()  # noqa: SLF001 - Django's name
    if found is None:
        known = set(users._default_manager.values_list(field, flat=True)[:1000])  # noqa: SLF001
        raise UserUnknownError(f"There is no user {name!r}{suggest(name, known)}.")
    return found


def require_text(words: Iterable[str]) -> None:
    """Pass words that are text: a shell hands on any bytes, a program NULs. Raises UsageError."""
    for word in words:
        if "\0" in word:
            raise UsageError(f"The argument {word!r} has a NUL character.")
        try:
            word.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(word).decode(errors="backslashreplace")
            raise UsageError(f"The argument '{shown}' is not UTF-8 text.") from None


def read_text(name: str) -> str:
    """Return the text of a file, or of standard input for `-`. Raises FileError."""
    try:
        if name == "-":
            return sys.stdin.read(MAX_FILE_BYTES).removeprefix("\ufeff")
        path = Path(name)
        if path.stat().st_size > MAX_FILE_BYTES:
            raise FileError(f"{name}: larger than {MAX_FILE_BYTES:,} bytes.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{name}: not UTF-8 text: byte {error.start} cannot be read.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(f"{name}: cannot be read: {reason}.") from None


def read_lines(name: str) -> Iterator[bytes]:
    """Yield the lines of a file, or of standard input for `-`, as they come.

    A line that is longer than any file may be is cut there, and goes on as the next one.

    Raises:
        FileError: the file cannot be opened, before anything is yielded.
    """
    try:
        file = sys.stdin.buffer if name == "-" else Path(name).open("rb")  # noqa: SIM115 - see below
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(f"{name}: cannot be read: {reason}.") from None
    return _lines_of(file)


def _lines_of(file: BinaryIO) -> Iterator[bytes]:
    with file:
        yield from iter(lambda: file.readline(MAX_FILE_BYTES), b"")


def read_value(argument: str, option: str) -> Any:
    """Return the JSON value of an option: inline, a file's (JSON or YAML), or `-`.

    Raises:
        FileError: the file is not there, or its text is no JSON (with line and column).
        DefinitionError: the file is YAML that cannot be read.
    """
    if argument.lstrip()[:1] in ("{", "[", '"') or _SCALAR.fullmatch(argument):
        return parse_json(argument, option)
    text = read_text(argument)
    if argument.lower().endswith(_YAML):
        return read_document(text, source=argument).value
    return parse_json(text, "standard input" if argument == "-" else argument)


def parse_json(text: str, source: str) -> Any:
    """Return the value of JSON text. Raises JsonError with line and column."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"{source}:{error.lineno}:{error.colno}"
        raise JsonError(f"{place}: this is no JSON: {error.msg}.") from None
    except RecursionError:
        raise JsonError(f"{source}: nested too deeply.") from None
    except ValueError as error:
        raise JsonError(f"{source}: {error}.") from None


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is no JSON; use null or leave it out"
    raise ValueError(message)
