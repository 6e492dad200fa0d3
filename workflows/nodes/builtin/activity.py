"""`activity`: calls registered Python code and keeps its answer."""

from pydantic import Field

from workflows.context.paths import assign
from workflows.definition.fields import ActivityName, ContextPath, Template
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.compensations import UndoableConfig, finished
from workflows.nodes.outcomes import Outcome, Suspend
from workflows.nodes.suspensions import ActivityCall, Resolution


class ActivityConfig(UndoableConfig):
    """What an author writes for an `activity`."""

    activity: ActivityName = Field(description="Name of a registered activity.")
    input: Template = Field(
        default_factory=dict, description="Template of an object: the activity's parameters."
    )
    result: ContextPath = Field("output", description="Where the answer is put.")


class CallActivity(Kind[ActivityConfig]):
    """Asks for the call; the engine makes it outside any transaction and brings the answer."""

    name = "activity"
    Config = ActivityConfig

    def sets(self, config: ActivityConfig) -> tuple[str, ...]:
        return (config.result,)

    def run(self, call: NodeCall[ActivityConfig]) -> Outcome:
        config = call.config
        rendered = call.render(config.input)
        asked = ActivityCall(
            config.activity,
            rendered,
            queue=config.queue,
            attempts=config.retry.attempts if config.retry else None,
            timeout=config.timeout,
        )
        return Suspend(asked, input=rendered)

    def resume(self, call: NodeCall[ActivityConfig], resolution: Resolution) -> Outcome:
        answer = resolution.payload
        return finished(call, assign(call.context, call.config.result, answer), answer)
