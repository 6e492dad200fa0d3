"""What a `command` node may write: its words, the files around it, its environment."""

import re
from pathlib import PurePosixPath
from typing import Any

from workflows.nodes.shell_text import shell_problems, shell_scripts

Problems = list[tuple[str, str]]

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
#: The loader of programs obeys these: another program would run than the settings name.
_LOADER = "LD_"


def command_problems(command: Any, pointer: str) -> Problems:
    """Return what is wrong with a list of words, or with the text of a shell command."""
    if isinstance(command, str):
        if not command.strip():
            return [(pointer, "The command must not be blank.")]
        return [(pointer, text) for text in shell_problems(command)]
    if not isinstance(command, list) or not command:
        return [(pointer, "A command is a list of the program and its arguments, or a text.")]
    program = command[0]
    if not isinstance(program, str) or not program.strip() or "${" in program:
        return [(f"{pointer}/0", "The program is written out, without `${}`.")]
    words = [word if isinstance(word, str) else "" for word in command]
    return argument_problems(command, pointer) + [
        (f"{pointer}/{at}", text)
        for at in shell_scripts(words)
        for text in shell_problems(words[at])
    ]


def argument_problems(words: list[Any], pointer: str) -> Problems:
    """Return which words of a command are no argument: null, lists and objects."""
    return [
        (f"{pointer}/{at}", f"Argument {at} is {_odd(word)}, not text, a number or a boolean.")
        for at, word in enumerate(words)
        if word is None or isinstance(word, dict | list)
    ]


def _odd(word: object) -> str:
    return "null" if word is None else "a list" if isinstance(word, list) else "an object"


def file_problems(files: Any, pointer: str) -> Problems:
    """Return what is wrong with the names of files: they stay inside of the folder."""
    if not isinstance(files, dict):
        return [(pointer, "This must be an object: names and contents of files.")]
    return [
        (pointer, f"{name!r} is no name of a file inside of the folder.")
        for name in files
        if not _is_inside(name)
    ]


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    is_plain = name == str(path) and name.isprintable() and len(name.encode()) <= 255
    return is_plain and name != "." and not path.is_absolute() and ".." not in path.parts


def environment_problems(env: Any, pointer: str) -> Problems:
    """Return what is wrong with the names of variables."""
    if not isinstance(env, dict):
        return [(pointer, "`env` must be an object.")]
    return [
        (pointer, f"The variable {name!r} cannot be set.")
        for name in env
        if not _VARIABLE.fullmatch(name) or name.startswith(_LOADER)
    ]
