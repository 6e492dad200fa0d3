"""`fail`: ends the run as failed."""

from typing import Annotated

from pydantic import Field

from workflows.definition.fields import Mark
from workflows.definition.model import NodeConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Fail, Outcome
from workflows.nodes.readings import text_at

#: Bounds of what a template may make of them.
CODE_LENGTH = 100
MESSAGE_LENGTH = 2000


class FailConfig(NodeConfig):
    """What an author writes for a `fail`."""

    code: Annotated[str, Mark("template")] = Field(
        "failed", min_length=1, description="Error code of the run, as a text template."
    )
    message: Annotated[str, Mark("template")] = Field(
        "", description="What people read, as a text template."
    )


class FailRun(Kind[FailConfig]):
    """Fails the run for good: neither `retry` nor `on_error` of any node applies."""

    name = "fail"
    Config = FailConfig

    def run(self, call: NodeCall[FailConfig]) -> Outcome:
        code = text_at(call, call.config.code).strip()[:CODE_LENGTH] or "failed"
        message = text_at(call, call.config.message)[:MESSAGE_LENGTH]
        return Fail(code, message, fatal=True)
