"""`wait_event`: sleeps until the events that it waits for have come."""

from pydantic import Field

from workflows.context.paths import assign
from workflows.definition.fields import Cel, ContextPath, Duration, EventFilter, NodeRef
from workflows.definition.model import StepConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Continue, Fail, Outcome, Suspend
from workflows.nodes.readings import key_of
from workflows.nodes.suspensions import EventWait, Resolution


class WaitEventConfig(StepConfig):
    """What an author writes for a `wait_event`."""

    event: str = Field(min_length=1, max_length=200, description="Type of the event.")
    key: Cel | None = Field(
        None, description="CEL of the correlation key; events without a key if left out."
    )
    filter: EventFilter | None = Field(
        None, description="CEL condition over the context and `event`, which must hold too."
    )
    collect: int = Field(1, ge=1, le=10_000, description="Events to wait for.")
    timeout: Duration | None = Field(None, description="Longest wait; none if left out.")
    on_timeout: NodeRef | None = Field(
        None, description="The node that follows at the timeout; without it the node fails."
    )
    result: ContextPath = Field(
        "event", description="Where the event is put; a list of events if `collect` is above 1."
    )


class WaitEvent(Kind[WaitEventConfig]):
    """Waits as rows; an event that came early is taken when the wait opens."""

    name = "wait_event"
    Config = WaitEventConfig
    is_bounded = True

    def ports(self, config: WaitEventConfig) -> dict[str, str | None]:
        return {**super().ports(config), "on_timeout": config.on_timeout}

    def sets(self, config: WaitEventConfig) -> tuple[str, ...]:
        return (config.result,)

    def run(self, call: NodeCall[WaitEventConfig]) -> Outcome:
        config = call.config
        key = key_of(call, config.key)
        if isinstance(key, Fail):
            return key
        blank = config.filter is None or not config.filter.strip()
        wait = EventWait(
            config.event,
            key,
            filter=None if blank else config.filter,
            collect=config.collect,
            timeout=config.timeout,
        )
        return Suspend(wait, input={"event": config.event, "key": key})

    def resume(self, call: NodeCall[WaitEventConfig], resolution: Resolution) -> Outcome:
        if resolution.by != "timer":
            return Continue(assign(call.context, call.config.result, resolution.payload))
        if "on_timeout" in call.ports:
            return Continue(call.context, port="on_timeout")
        message = f"No event {call.config.event!r} that fits came in time."
        return Fail("timeout", message)
