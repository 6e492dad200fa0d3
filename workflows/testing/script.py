"""What happens to a trial from outside, and when: events and people's answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from workflows import clock
from workflows.definition.explain import explain
from workflows.definition.fields import Duration
from workflows.errors import CeleriacError, InputRefusedError, Problem
from workflows.testing.stubs import Stubs


class ScriptedEvent(BaseModel):
    """An event from outside; one that nobody waits for yet is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = Field(min_length=1, max_length=200)
    key: str = Field("", max_length=500, coerce_numbers_to_str=True)
    data: Any = None
    source: str = "script"
    id: str | None = Field(None, coerce_numbers_to_str=True)
    deliver: Literal["one", "all"] = "one"
    ttl: Duration | None = None


class ScriptedAnswer(BaseModel):
    """A person's answer to the oldest question that `node` asks; the kind reads the rest."""

    model_config = ConfigDict(frozen=True, extra="allow")

    node: str = Field(min_length=1)


class Entry(BaseModel):
    """One thing that happens, so long after the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Duration = timedelta(0)
    event: ScriptedEvent | None = None
    answer: ScriptedAnswer | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "Entry":
        if (self.event is None) == (self.answer is None):
            message = "an entry has either `event` or `answer`"
            raise ValueError(message)
        return self


class _Events(BaseModel):
    events: list[Entry]


class _Stubs(BaseModel):
    stubs: Stubs


M = TypeVar("M", bound=BaseModel)


def read_script(value: Any) -> list[Entry]:
    """Return the entries of a script. Raises InputRefusedError."""
    return _read(_Events, "events", value).events


def read_stubs(value: Any) -> Stubs:
    """Return the answers of activities by name. Raises InputRefusedError."""
    return _read(_Stubs, "stubs", value).stubs


def _read(model: type[M], name: str, value: Any) -> M:
    """Read what stands alone as the one field `name` of a model; pointers begin in it."""
    given = {name: value}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems = [
            replace(each, pointer=each.pointer.removeprefix(f"/{name}"))
            for each in problems_in(error, given, model)
        ]
        message = f"The {name} cannot be used: {problems[0].message}"
        raise InputRefusedError(message, problems) from None


def problems_in(error: ValidationError, value: Any, model: type[BaseModel]) -> list[Problem]:
    """Return what is wrong with what was given for a model, each with its place."""
    mistakes = explain(error.errors(include_url=False), value, model)
    return [
        Problem("script_invalid", f"{_entry(each.path)}{each.message}", each.pointer)
        for each in mistakes
    ]


def _entry(path: tuple[str | int, ...]) -> str:
    """Say in words which entry of the events, or which answer of the stubs, a path is in."""
    match path:
        case ("events", int(index), *_):
            return f"entry {index + 1}: "
        case ("stubs", name, int(index), *_):
            return f"{name!r}, answer {index + 1}: "
        case ("stubs", name, *_):
            return f"{name!r}: "
        case _:
            return ""


class EntryRefusedError(InputRefusedError):
    """An event or an answer that is refused when its time has come."""


@contextmanager
def blaming(index: int, entry: Entry) -> Iterator[None]:
    """Say which entry of the script it is that is refused. Raises EntryRefusedError."""
    try:
        yield
    except CeleriacError as error:
        answer, event = entry.answer, entry.event
        named = repr(answer.node if answer else event.type if event else "")
        what = f"{'answer of' if answer else 'event'} {named} after {clock.spoken(entry.at)}"
        alone = Problem(error.code, error.message, getattr(error, "pointer", ""))
        problems = [
            replace(each, message=f"the {what}: {each.message}", pointer=_spot(index, entry, each))
            for each in getattr(error, "problems", [alone])
        ]
        message = f"The scripted {what} is refused: {error.message}"
        raise EntryRefusedError(message, problems) from None


def _spot(index: int, entry: Entry, problem: Problem) -> str:
    at = f"/{index}/{'answer' if entry.answer else 'event'}"
    # What does not fit a form was found in what was filled in.
    is_inside = entry.answer is not None and problem.code.startswith("schema_")
    return f"{at}{'/data' if is_inside else ''}{problem.pointer}"
