"""`batch`: works through a list in slices."""

from math import ceil

from pydantic import Field

from workflows.definition.fields import ContextPath, NodeRef, QueueName
from workflows.definition.model import Tolerate
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Continue, Fail, Outcome, Slices, Split
from workflows.nodes.readings import list_at, path_problems, tolerated, unless_failed
from workflows.nodes.waiting_for import JoinConfig


class BatchConfig(JoinConfig):
    """What an author writes for a `batch`."""

    items: ContextPath = Field(description="Path of the list.")
    size: int = Field(0, ge=0, description="Items in a slice; 0 is one slice with the whole list.")
    parallel: int = Field(0, ge=0, description="Slices that may live at once; 0 is no cap.")
    process: NodeRef | None = Field(
        None, description="First node of a slice; without it the thread goes straight on."
    )
    merge: str = Field(
        "output", description="Path whose changes are merged and kept; empty for none."
    )
    tolerate: Tolerate | None = Field(
        None, description="Slices that may fail; they are listed at `errors`."
    )
    queue: QueueName | None = Field(None, description="Name of the queue to run the slices on.")


class Batch(Kind[BatchConfig]):
    """Splits a list into contiguous slices, one thread each.

    A slice sees its part of the list in place of the list, and `batch` with `index`, `count`,
    `start`, `end` (past the last item) and `total`.
    """

    name = "batch"
    Config = BatchConfig
    is_split = True

    def ports(self, config: BatchConfig) -> dict[str, str | None]:
        return {**super().ports(config), "process": config.process}

    def part_ports(self, config: BatchConfig) -> tuple[str, ...]:
        return ("process",)

    def sets(self, config: BatchConfig) -> tuple[str, ...]:
        return (*([config.merge] if config.merge else []), "batch")

    def check(self, config: BatchConfig) -> list[tuple[str, str]]:
        problems = path_problems(config.merge, "/merge") if config.merge else []
        problems += config.tolerate.problems() if config.tolerate else []
        return problems + config.rest_problems()

    def run(self, call: NodeCall[BatchConfig]) -> Outcome:
        config = call.config
        rows = list_at(call.context, config.items)
        if isinstance(rows, Fail):
            return rows
        start = call.ports.get("process")
        if start is None:
            return Continue(call.context)
        if not rows:
            return Continue(unless_failed(call.context, config.tolerate))
        count = ceil(len(rows) / config.size) if config.size else 1
        slices = Slices(
            start, config.items, size=config.size, count=count, parallel=config.parallel
        )
        merge, limit = config.merge or None, tolerated(config.tolerate)
        return Split(slices, merge=merge, queue=config.queue, tolerate=limit)
