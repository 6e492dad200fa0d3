"""`code`: runs Python source on the context."""

from typing import Any

from pydantic import Field

from workflows.context.values import dumps
from workflows.definition.model import WorkConfig
from workflows.nodes.asking import ask_for
from workflows.nodes.base import ANYTHING, Kind, NodeCall
from workflows.nodes.outcomes import Continue, Outcome
from workflows.nodes.sources import syntax_problem
from workflows.nodes.suspensions import Resolution


class CodeConfig(WorkConfig):
    """What an author writes for a `code` node."""

    source: str = Field(
        max_length=100_000,
        description="Python source that works on `context`, a dictionary; blank does nothing.",
    )


class Code(Kind[CodeConfig]):
    """Runs Python source, and goes on with what it has left in `context`.

    `await` may stand anywhere in it. What it prints is dropped, what it raises fails the node with
    the line. CELERIAC_CODE decides whether it runs at all: `off`, `isolated` (a process of its own
    with the standard library, without network, environment and files, limited in time and memory)
    or `trusted` (in the worker, with everything that the project can import). Isolated and without
    `timeout` an attempt may take CODE_SECONDS (5).
    """

    name = "code"
    Config = CodeConfig

    def sets(self, config: CodeConfig) -> tuple[str, ...]:
        # Whatever it likes, under names that may be computed.
        return (ANYTHING,) if config.source.strip() else ()

    def check(self, config: CodeConfig) -> list[tuple[str, str]]:
        found = syntax_problem(config.source)
        return [("/source", found)] if found else []

    def run(self, call: NodeCall[CodeConfig]) -> Outcome:
        source = call.config.source
        if not source.strip():
            return Continue(call.context)
        # The context is not shown: the history would keep all of it once more at every such step.
        return ask_for("code", call, {"source": source, "context": call.context}, shown=None)

    def resume(self, call: NodeCall[CodeConfig], resolution: Resolution) -> Outcome:
        before, after = call.context, resolution.payload
        # What came back unchanged stays the object that it was: the history keeps changes only.
        return Continue({key: _kept(before.get(key), value) for key, value in after.items()})


def _kept(before: Any, after: Any) -> Any:
    return before if dumps(before) == dumps(after) else after
