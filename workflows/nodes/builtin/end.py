"""`end`: where a thread is over, and what the run answers."""

from typing import Annotated, Any, Literal

from pydantic import Field

from workflows.absent import ABSENT
from workflows.context.paths import assign
from workflows.definition.fields import Mark
from workflows.definition.model import NodeConfig
from workflows.errors import PathError
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Finish, JSONObject, Outcome
from workflows.nodes.readings import path_problems, text_at


class EndConfig(NodeConfig):
    """What an author writes for an `end`."""

    output: Annotated[dict[str, Any] | None, Mark("template")] = Field(
        None, description="Target path to template; without it the context is the output."
    )
    result: Literal["ok", "allowed", "blocked"] = Field("ok", description="The run's verdict.")
    reason: Annotated[str, Mark("template")] = Field("", description="Why, as a text template.")
    terminate: bool = Field(default=False, description="Stop every other thread of the run.")


class End(Kind[EndConfig]):
    """Ends a thread; the last one reached gives the run its output."""

    name = "end"
    Config = EndConfig

    def check(self, config: EndConfig) -> list[tuple[str, str]]:
        return [
            problem
            for path in config.output or ()
            for problem in path_problems(path, f"/output/{_escaped(path)}")
        ]

    def run(self, call: NodeCall[EndConfig]) -> Outcome:
        config = call.config
        output, warnings = self._output(call)
        return Finish(
            output,
            result=config.result,
            reason=text_at(call, config.reason),
            terminate=config.terminate,
            warnings=warnings,
        )

    def _output(self, call: NodeCall[EndConfig]) -> tuple[JSONObject, tuple[str, ...]]:
        if call.config.output is None:
            return call.context, ()
        output: JSONObject = {}
        warnings: list[str] = []
        for path, template in call.config.output.items():
            value = call.render_entry(template)
            if value is ABSENT:
                continue
            try:
                output = assign(output, path, value)
            except PathError as error:
                warnings.append(f"Output {path!r} was left out: {error.message}")
        return output, tuple(warnings)


def _escaped(key: str) -> str:
    """Write a key as one step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")
