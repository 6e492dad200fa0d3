"""`emit`: sends an event."""

from typing import Annotated, Any, Literal

from pydantic import Field

from workflows.context.values import MAX_BYTES, check_value
from workflows.definition.fields import Cel, Duration, Mark, Template
from workflows.definition.model import StepConfig
from workflows.errors import NodeError
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Emit, Fail, Outcome
from workflows.nodes.readings import key_of, text_at

#: What the table of events holds.
NAME_LENGTH = 200

_Text = Annotated[str, Field(min_length=1), Mark("template")]


class EmitConfig(StepConfig):
    """What an author writes for an `emit`."""

    event: str = Field(min_length=1, max_length=NAME_LENGTH, description="Type of the event.")
    key: Cel | None = Field(
        None, description="CEL of the correlation key; an event without a key if left out."
    )
    data: Template = Field(None, description="Template of what the event carries.")
    source: _Text | None = Field(
        None,
        description="Where it comes from, as a text template; the workflow's name if left out.",
    )
    event_id: _Text | None = Field(
        None,
        description="Its id within the source, as a text template; an id that came before sends "
        "nothing. Left out, each step has one of its own, the same however often it is tried.",
    )
    deliver: Literal["one", "all"] = Field(
        "one", description="Whom it wakes: the oldest wait that matches, or all of them."
    )
    ttl: Duration | None = Field(
        None, description="How long it is kept for a wait that opens later; a week if left out."
    )


class EmitEvent(Kind[EmitConfig]):
    """Sends an event in the same transaction as the step: both happen, or neither.

    It is matched after the commit, so it also wakes a wait of its own run. A wait that opens later
    takes it as long as it is kept.
    """

    name = "emit"
    Config = EmitConfig

    def run(self, call: NodeCall[EmitConfig]) -> Outcome:
        config = call.config
        key = key_of(call, config.key)
        if isinstance(key, Fail):
            return key
        data: Any = call.render(config.data)
        check_value(data, max_bytes=MAX_BYTES, pointer="/data")
        return Emit(
            call.context,
            config.event,
            key,
            data,
            source=_name(call, "source"),
            id=_name(call, "event_id"),
            deliver=config.deliver,
            ttl=config.ttl,
            input={"event": config.event, "key": key, "data": data},
        )


def _name(call: NodeCall[EmitConfig], field: str) -> str | None:
    """Return a rendered text of the length that the table has, or None when it is left out."""
    template = getattr(call.config, field)
    if template is None:
        return None
    text = text_at(call, template)
    if 0 < len(text) <= NAME_LENGTH:
        return text
    message = f"`{field}` must give 1 to {NAME_LENGTH} characters; it gives {len(text)}."
    raise NodeError("emit_invalid", message)
