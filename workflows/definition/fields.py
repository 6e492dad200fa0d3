"""Types of the fields that a node's config can have; the compiler finds them by their marks.

A field's mark tells every compile check what the text is: a CEL expression, a JSON template with
`${}` in it, a context path, or the id of another node. No check keeps a list of field names.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

MarkName = Literal[
    "cel",
    "condition",
    "template",
    "path",
    "node",
    "schema",
    "activity",
    "queue",
    "workflow",
    "task",
]


@dataclass(frozen=True, slots=True)
class Mark:
    """What the text in a field is.

    `names` are extra names in scope of an expression, `words` what may stand in its place. A number
    beside an expression is no expression either.
    """

    is_a: MarkName
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def is_meant(self, value: Any) -> bool:
        """Tell whether a field's value is what the mark says."""
        if isinstance(value, str):
            return value not in self.words
        return isinstance(value, list | tuple) or self.is_a not in ("cel", "condition")


Cel = Annotated[str, Field(min_length=1), Mark("cel")]
Condition = Annotated[str, Mark("condition")]
EventFilter = Annotated[str, Mark("condition", names=("event",))]
Template = Annotated[Any, Mark("template")]
ContextPath = Annotated[str, Mark("path")]
NodeRef = Annotated[str, Field(min_length=1), Mark("node")]
JsonSchema = Annotated[dict[str, Any] | bool, Mark("schema")]
ActivityName = Annotated[str, Field(min_length=1), Mark("activity")]
QueueName = Annotated[str, Field(min_length=1), Mark("queue")]
TaskName = Annotated[str, Field(min_length=1, max_length=200), Mark("task")]
WorkflowName = Annotated[str, Field(min_length=1), Mark("workflow")]
#: A mistake in units ends here, not past the last year that a calendar knows.
LONGEST = timedelta(days=100 * 366)

_ISO_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)


def _read_duration(value: Any) -> Any:
    """Read weeks to seconds; months and years have no fixed length, so they are refused."""
    if not isinstance(value, str):
        return value
    match = _ISO_DURATION.fullmatch(value)
    if match is None:
        message = f"expected an ISO 8601 duration such as PT5M or P2D{iso_hint(value)}"
        raise ValueError(message)
    parts = match.groupdict(default="0")
    try:
        return timedelta(**{unit: float(count) for unit, count in parts.items()})
    except OverflowError:
        return timedelta.max


def _bounded(value: timedelta) -> timedelta:
    """Refuse what is longer than LONGEST."""
    if value > LONGEST:
        message = "expected an ISO 8601 duration of at most 100 years"
        raise ValueError(message)
    return value


_SPOKEN_DURATION = re.compile(
    r"\s*(\d{1,6})\s*(w|weeks?|d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)\s*",
    re.ASCII | re.IGNORECASE,
)


def iso_hint(text: str) -> str:
    """Return '; did you mean ...?' for a duration as people write it ('1 day'), or nothing."""
    match = _SPOKEN_DURATION.fullmatch(text)
    if match is None:
        return ""
    unit = match[2][0].upper()
    return f"; did you mean 'P{'T' if unit in 'HMS' else ''}{int(match[1])}{unit}'?"


#: ISO 8601 in documents (`P2D`, `PT5M`), a timedelta in Python; never negative, bounded.
Duration = Annotated[
    timedelta,
    Field(ge=timedelta(0)),
    AfterValidator(_bounded),
    BeforeValidator(_read_duration),
]


_PERCENT = re.compile(r"\s*(\d{1,3})\s*%\s*", re.ASCII)


def _read_wait_for(value: Any) -> Any:
    """Say what may stand here in one message, instead of one for each alternative."""
    is_text = isinstance(value, str)
    percent = _PERCENT.fullmatch(value) if is_text else None
    is_quoted = is_text and value.strip().isdecimal()
    if (is_text and percent is None and not is_quoted) or (type(value) is int and value > 0):
        return value
    message = "expected all, any, a number of parts from 1, or a condition over `group`"
    if percent is not None:
        written = f"group.arrived * 100 >= group.expected * {int(percent[1])}"
        message += f"; a join takes no percentages, so write '{written}'"
    elif is_quoted:
        message += f"; did you mean {int(value)}, without quotes?"
    raise ValueError(message)


#: When a join goes on.
WaitFor = Annotated[
    Literal["all", "any"]
    | Annotated[int, Field(ge=1)]
    | Annotated[str, Mark("cel", names=("group",), words=("all", "any"))],
    BeforeValidator(_read_wait_for),
]


def marked(model: BaseModel, pointer: str = "") -> Iterator[tuple[Mark, Any, str]]:
    """Yield (mark, value, JSON pointer) for each marked field of `model` and of models in it."""
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if value is None:
            continue
        here = f"{pointer}/{info.alias or name}"
        marks = [meta for meta in info.metadata if isinstance(meta, Mark)]
        marks += _inner_marks(info.annotation)
        if marks:
            yield from [(marks[0], value, here)] if marks[0].is_meant(value) else []
        elif isinstance(value, BaseModel):
            yield from marked(value, here)
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from marked(item, f"{here}/{index}")


def _inner_marks(annotation: Any) -> list[Mark]:
    """Find the mark inside an optional or a list: `Cel | None` keeps it on the inner type."""
    for part in getattr(annotation, "__args__", ()):
        found = [meta for meta in getattr(part, "__metadata__", ()) if isinstance(meta, Mark)]
        found = found or _inner_marks(part)
        if found:
            return found
    return []
