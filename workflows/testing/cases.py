"""Many trials one after the other: a line of JSON each, and a line of JSON for each."""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from workflows.errors import Problem
from workflows.testing.script import Entry, problems_in
from workflows.testing.stubs import Stubs
from workflows.testing.trial import Report, Trial, invalid

#: Of a line that is no case.
CODE = "case_invalid"
#: Of a trial that could not be brought to its end.
BROKEN = "trial_broken"

logger = logging.getLogger("workflows.testing")


class Case(BaseModel):
    """One line: a definition and what a run of it meets. Definitions are texts or objects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: StrictStr | StrictInt | None = None
    definition: str | dict[str, Any]
    workflows: list[str | dict[str, Any]] = []
    input: Any = {}
    stubs: Stubs = {}
    events: list[Entry] = []


@dataclass(frozen=True, slots=True)
class Tried:
    """The result of one line: its report with the `id`, and whether the line was a case at all."""

    report: Report
    is_case: bool


def run_cases(lines: Iterable[bytes], **settings: Any) -> Iterator[Tried]:
    """Run each case, in order, each by itself; a line that is none has a result as well.

    Args:
        lines: the cases; blank ones are passed over.
        settings: of every `Trial`.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _run(line, number, settings)


def _run(line: bytes, number: int, settings: dict[str, Any]) -> Tried:
    value: Any = None
    try:
        value = json.loads(line.decode("utf-8-sig"), parse_constant=_refuse_constant)
        case = Case.model_validate(value)
    except ValidationError as error:
        return _refused(value, number, "its fields do not fit", problems_in(error, value, Case))
    except (ValueError, RecursionError) as error:
        return _refused(value, number, f"this is no JSON: {_reason(error)}", [])
    trial = Trial(
        _text(case.definition),
        source="definition",
        others={f"workflows/{at}": _text(each) for at, each in enumerate(case.workflows)},
        stubs=case.stubs,
        script=case.events,
        **settings,
    )
    return Tried({"id": case.id, **_report(trial, case.input)}, is_case=True)


def _report(trial: Trial, data: Any) -> Report:
    """Run a trial; one that breaks down, which is a fault of ours, must not end the others."""
    try:
        return trial.run(data)
    except Exception as error:
        logger.exception("A trial broke down")
        message = f"The trial broke down: {type(error).__name__}. That is a fault of Celeriac."
        return {**invalid(BROKEN, message, []), "status": "failed"}


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"{error.msg} at column {error.colno}"
        case UnicodeDecodeError():
            return f"byte {error.start} is no UTF-8 text"
        case RecursionError():
            return "it is nested too deeply"
        case _OddError():
            return str(error)
        case _:
            return "a number has too many digits"


class _OddError(ValueError):
    """Something that Python reads and JSON does not have."""


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is no JSON; use null or leave it out"
    raise _OddError(message)


def _text(definition: str | dict[str, Any]) -> str:
    return definition if isinstance(definition, str) else json.dumps(definition)


def _refused(value: Any, number: int, why: str, problems: list[Problem]) -> Tried:
    message = f"Line {number} is no case: {why}."
    found = value.get("id") if isinstance(value, dict) else None
    name = found if type(found) in (str, int) else None
    listed = problems or [Problem(CODE, message)]
    return Tried({"id": name, **invalid(CODE, message, listed)}, is_case=False)
