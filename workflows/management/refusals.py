"""What is said when something is refused: what, where, and what to do next."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from workflows.errors import (
    CeleriacError,
    DefinitionError,
    InputRefusedError,
    NotFoundError,
    PermissionRefusedError,
    Problem,
    ValueRefusedError,
)

_NEXT = {
    "user_unknown": "Name a user that exists; `manage.py createsuperuser` makes one.",
    "conflict": "See how the run stands: `manage.py workflow show RUN`.",
    "key_reused": "Use another --key, or repeat the same input and version.",
    "input_invalid": "Mend what is named and try again; nothing was changed.",
    "value_refused": "Mend that value and try again; nothing was changed.",
    "definition_invalid": "Mend the definition and try again; nothing was published.",
    "configuration": "Mend the setting, then check with `manage.py workflow doctor`.",
    "json_invalid": "Mend the JSON and try again; nothing was changed.",
    "file_unreadable": "Name a file that can be read, or `-` for standard input.",
}


#: What to do by what was not found; the messages of the engine begin with these words.
_NOT_FOUND = (
    ("There is no run", "See what runs there are: `manage.py workflow list`."),
    ("There is no workflow", "Publish it first: `manage.py workflow publish FILE`."),
    ("Workflow ", "Leave --version out to start the newest."),
    ("Run ", "See what the run asks, and at which node: `manage.py workflow show RUN`."),
    ("There is no secret", "See which there are: `manage.py workflow secret list`."),
    ("There is no", "See what the run waits for: `manage.py workflow show RUN`."),
)


class FileError(CeleriacError):
    """A file that cannot be read as what it should be."""

    code = "file_unreadable"


class JsonError(FileError):
    """Text that is no JSON."""

    code = "json_invalid"


@contextmanager
def blaming(option: str) -> Iterator[None]:
    """Say which option it is that is refused."""
    try:
        yield
    except (InputRefusedError, ValueRefusedError) as error:
        vars(error)["option"] = option
        raise


class UserUnknownError(NotFoundError):
    """There is no user with this name."""

    code = "user_unknown"


class UsageError(CeleriacError):
    """Arguments that do not fit together."""

    code = "usage"


def next_step(error: CeleriacError, verb: str) -> str:
    """Return what to do after an error."""
    if isinstance(error, PermissionRefusedError):
        # No permission that could be given lifts a rule of the workflow.
        lifted = ", or give this one the permission" if "permission" in error.details else ""
        return f"Use --as with a user who may{lifted}."
    option = getattr(error, "option", None)
    if option is not None:
        return f"Mend {option} and try again; nothing was changed."
    found = _NEXT.get(error.code)
    if found is None and isinstance(error, NotFoundError):
        found = next((step for start, step in _NOT_FOUND if error.message.startswith(start)), None)
    return found or f"See `manage.py workflow {verb} --help`."


def describe(error: CeleriacError) -> str:
    """Return an error with each of its problems on a line of its own."""
    problems: list[Problem] = getattr(error, "problems", [])
    is_told = len(problems) == 1 and error.message.endswith(problems[0].message)
    if not problems or (is_told and not isinstance(error, DefinitionError)):
        return error.message
    told = [*problems, *getattr(error, "warnings", ())]
    return "\n".join([error.message, *(f"  {line}" for line in lines(told))])


def lines(problems: Iterable[Problem], source: str = "") -> list[str]:
    """Return `file:line:column: code: message (pointer)` for each problem."""
    return [_line(problem, source) for problem in problems]


def _line(problem: Problem, source: str) -> str:
    place = source
    if problem.line is not None:
        place += f":{problem.line}:{problem.column or 1}"
    warning = "warning: " if problem.severity == "warning" else ""
    pointer = f" (at {problem.pointer})" if problem.pointer else ""
    return f"{place.lstrip(':')}: {warning}{problem.code}: {problem.message}{pointer}".lstrip(": ")
