"""What happens to a trial from outside, and when: events and people's answers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from workflows.definition.explain import explain
from workflows.definition.fields import Duration
from workflows.errors import InputRefusedError, Problem
from workflows.testing.stubs import Stubs


#: Time goes on from a start in the year 9000 at the latest, and must not leave the calendar.
_LATEST = timedelta(days=900 * 365)


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

    at: Duration = Field(timedelta(0), le=_LATEST)
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
    """Return the entries in the order in which they happen. Raises InputRefusedError."""
    return in_order(_read(_Events, "events", value).events)


def in_order(entries: list[Entry]) -> list[Entry]:
    """Return entries in the order in which they happen."""
    return sorted(entries, key=lambda entry: entry.at)


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
    return ""
