"""`transform`: sets one path from an expression."""

from pydantic import Field

from workflows.context.paths import assign
from workflows.definition.fields import Cel, ContextPath
from workflows.definition.model import StepConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Continue, Outcome


class TransformConfig(StepConfig):
    """What an author writes for a `transform`."""

    value: Cel = Field(description="CEL of the value; one that is absent fails the node.")
    result: ContextPath = Field("output", description="Where the value is put.")


class Transform(Kind[TransformConfig]):
    """Puts the value of one expression into the context."""

    name = "transform"
    Config = TransformConfig

    def sets(self, config: TransformConfig) -> tuple[str, ...]:
        return (config.result,)

    def run(self, call: NodeCall[TransformConfig]) -> Outcome:
        value = call.evaluate(call.config.value)
        return Continue(assign(call.context, call.config.result, value))
