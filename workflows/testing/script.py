"""What happens to a trial from outside, and when: events and people's answers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from workflows.definition.fields import Duration
from workflows.errors import InputRefusedError, Problem
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


_scripts: TypeAdapter[list[Entry]] = TypeAdapter(list[Entry])
_stubs: TypeAdapter[Stubs] = TypeAdapter(Stubs)


def read_script(value: Any) -> list[Entry]:
    """Return the entries in the order in which they happen. Raises InputRefusedError."""
    with _refusing("The events"):
        return in_order(_scripts.validate_python(value))


def in_order(entries: list[Entry]) -> list[Entry]:
    """Return entries in the order in which they happen."""
    return sorted(entries, key=lambda entry: entry.at)


def read_stubs(value: Any) -> Stubs:
    """Return the answers of activities by name. Raises InputRefusedError."""
    with _refusing("The stubs"):
        return _stubs.validate_python(value)


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        problems = problems_in(error)
        raise InputRefusedError(f"{what} are not as they should be.", problems) from None


def problems_in(error: ValidationError) -> list[Problem]:
    """Return what is wrong with something that was given, each with its place."""
    return [
        Problem("script_invalid", _words(each), "".join(f"/{step}" for step in each["loc"]))
        for each in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _words(each: Mapping[str, Any]) -> str:
    if each["type"] == "extra_forbidden":
        return f"unknown field {str(each['loc'][-1])!r}"
    text = str(each["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    return text if text != each["msg"] else text[:1].lower() + text[1:]
