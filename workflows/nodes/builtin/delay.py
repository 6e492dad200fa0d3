"""`delay`: sleeps for a while, or until a moment."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from workflows.definition.fields import Duration, Mark, iso_hint
from workflows.definition.model import StepConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Fail, Outcome, Suspend
from workflows.nodes.readings import type_name
from workflows.nodes.suspensions import TimerWait

_durations: TypeAdapter[timedelta] = TypeAdapter(Duration)
_moments: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


def _as_template(until: Any) -> Any:
    """Take bare CEL for a template: a timestamp begins with a digit, as no expression does."""
    is_cel = isinstance(until, str) and "${" not in until and not until.strip()[:1].isdigit()
    return f"${{{until}}}" if is_cel and until.strip() else until


class DelayConfig(StepConfig):
    """What an author writes for a `delay`."""

    # Only the names of the document: `duration` is no field an author may write.
    model_config = ConfigDict(populate_by_name=False)

    duration: Annotated[str, Mark("template")] | None = Field(
        None,
        alias="for",
        description="ISO 8601 duration (`PT5M`), or a template that gives one or seconds.",
    )
    until: Annotated[str, BeforeValidator(_as_template), Mark("template")] | None = Field(
        None,
        description="RFC 3339 timestamp, or CEL that gives one; in the past, it is over at once.",
    )


class Delay(Kind[DelayConfig]):
    """Sleeps as a row: no worker, no broker timer."""

    name = "delay"
    Config = DelayConfig
    is_bounded = True

    def check(self, config: DelayConfig) -> list[tuple[str, str]]:
        if (config.duration is None) == (config.until is None):
            return [("", "A delay has either `for` or `until`.")]
        return [
            *_literal_problems("/for", config.duration, _duration),
            *_literal_problems("/until", config.until, _moment),
        ]

    def run(self, call: NodeCall[DelayConfig]) -> Outcome:
        config = call.config
        if config.duration is not None:
            after = _duration(call.render(config.duration))
            return after if isinstance(after, Fail) else Suspend(TimerWait(after=after))
        until = _moment(call.render(config.until))
        return until if isinstance(until, Fail) else Suspend(TimerWait(until=until))


def _literal_problems(
    pointer: str, text: str | None, read: Callable[[Any], object]
) -> list[tuple[str, str]]:
    """Read at publish what holds no expression."""
    found = None if text is None or "${" in text else read(text)
    if not isinstance(found, Fail):
        return []
    hint = iso_hint(text or "")
    return [(pointer, f"{found.message.removesuffix('.')}{hint}" if hint else found.message)]


def _duration(value: Any) -> timedelta | Fail:
    try:
        return _durations.validate_python(None if isinstance(value, bool) else value)
    except ValidationError:
        message = "`for` must give an ISO 8601 duration of at most 100 years, such as `PT5M`"
        return Fail("delay_invalid", f"{message}, or seconds; found: {type_name(value)}.")


def _moment(value: Any) -> datetime | Fail:
    """Read an RFC 3339 timestamp with its offset."""
    # Text that begins with a year: a bare number would be taken for seconds since 1970.
    is_timestamp = isinstance(value, str) and value[4:5] == "-"
    try:
        return _moments.validate_python(value if is_timestamp else None).astimezone(UTC)
    except (ValidationError, OverflowError):
        message = "`until` must give an RFC 3339 timestamp with its offset"
        example = "such as `2030-01-31T09:00:00Z`"
        return Fail("delay_invalid", f"{message}, {example}; found: {type_name(value)}.")
