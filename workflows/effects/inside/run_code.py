"""Runs the source of a `code` node: in the sandbox by `main`, in a worker by `run_source`."""

import ast
import json
import os
import sys
from types import CodeType, TracebackType
from typing import Any

from workflows.effects.inside.confine import give_up_root, limit
from workflows.effects.inside.talking import read_job

FILE = "<code>"
MAX_DEPTH = 64
_SHOWN = 300
_IS_COROUTINE = 0x80  # inspect.CO_COROUTINE, without importing all that comes with it


def compile_source(source: str) -> CodeType:
    """Return the code of a node's source, in which `await` may stand anywhere.

    Raises:
        SyntaxError: with the line, whatever is wrong with the source.
    """
    try:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code: CodeType = compile(source, FILE, "exec", flags=flags, dont_inherit=True)
    except SyntaxError:
        raise
    except (ValueError, OverflowError, RecursionError, MemoryError) as error:
        message = str(error) or "it is nested too deeply"
        raise SyntaxError(message) from None
    return code


def run_source(
    source: str, context: dict[str, Any], *, passing: tuple[type[BaseException], ...] = ()
) -> dict[str, Any]:
    """Run a source and return `{context: ...}`, or `{error: {code, message}}` with its line.

    `passing`: what others than the source raise in this process, which is none of its errors.
    """
    try:
        code = compile_source(source)
    except SyntaxError as error:
        place = f"line {error.lineno}: " if error.filename == FILE and error.lineno else ""
        return _error("code_syntax", f"{place}{error.msg}")
    try:
        return {"context": _run(code, context)}
    except passing:
        raise
    except MemoryError:
        return _error("code_memory", "It needs more memory than it may have.")
    except _NotPlainError as error:
        return _error("code_output", str(error))
    except BaseException as error:  # noqa: BLE001 - whatever the source has raised
        return _error("code_error", _told(error))


def _run(code: CodeType, context: dict[str, Any]) -> Any:
    names: dict[str, Any] = {"__name__": "__code__", "context": context}
    if code.co_flags & _IS_COROUTINE:
        import asyncio  # noqa: PLC0415 - takes as long as all the rest to import

        asyncio.run(eval(code, names))  # noqa: S307 - what a node of this kind is for
    else:
        exec(code, names)  # noqa: S102 - what a node of this kind is for
    left = names.get("context")
    if not isinstance(left, dict):
        raise _NotPlainError(f"`context` is no object any more: {_name(left)}.")
    return _plain(left, "context", 0)


class _NotPlainError(Exception):
    """The context holds something that is not JSON."""


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def _told(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ must not hide which error it was
        text = ""
    line = _line(error.__traceback__)
    place = f"line {line}: " if line else ""
    name = _name(error)[:_SHOWN]
    told = f"{place}{name}: {text[:_SHOWN]}" if text else f"{place}{name}"
    # A message that is no plain text must not hide which error it was either.
    return told.encode(errors="replace").decode().replace("\0", "?")


def _line(trace: TracebackType | None) -> int | None:
    """Return the last line of the source itself that the error came through."""
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


def _plain(value: Any, path: str, depth: int) -> Any:
    """Return a value as JSON has it: tuples are lists, and everything else that is none is refused.

    The same in the sandbox and in a worker.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if depth >= MAX_DEPTH:
        raise _NotPlainError(f"`context` is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}[{at}]", depth + 1) for at, item in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise _NotPlainError(f"A key in `{path}` is no text: {_name(key)}.")
        return {key: _plain(item, f"{path}.{key}", depth + 1) for key, item in value.items()}
    raise _NotPlainError(f"`{path[:_SHOWN]}` is no JSON: {_name(value)}.")


def _name(value: object) -> str:
    return type(value).__name__


def main() -> None:
    """Run the job on standard input, and write its answer to standard output."""
    job = read_job()
    answers = os.dup(1)
    # What the source prints is nobody's: the answer has a way of its own.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    give_up_root(job["uid"])
    limit(job["limits"])
    answer = run_source(job["source"], job["context"])
    try:
        text = json.dumps(answer, ensure_ascii=True, allow_nan=False).encode()
    except (ValueError, MemoryError, RecursionError) as error:
        # ValueError: NaN or infinity, or an integer with thousands of digits.
        code = "code_memory" if isinstance(error, MemoryError) else "code_output"
        text = json.dumps(_error(code, "`context` cannot be written as JSON.")).encode()
    while text:
        text = text[os.write(answers, text) :]
    # Threads that the source has left behind are not waited for.
    sys.stdout.flush()
    os._exit(0)
