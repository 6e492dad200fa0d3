"""`map`: does the same to every item of a list."""

from pydantic import ConfigDict, Field

from workflows.context.paths import assign
from workflows.definition.fields import ContextPath, NodeRef, QueueName
from workflows.definition.model import Tolerate
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Continue, Fail, Items, Outcome, Split
from workflows.nodes.readings import list_at, path_problems, tolerated, unless_failed
from workflows.nodes.waiting_for import JoinConfig

#: Names that mean something else in every expression of an item's thread.
RESERVED = ("index", "run", "now", "event")


class MapConfig(JoinConfig):
    """What an author writes for a `map`."""

    # Only the names of the document: `item_name` is no field an author may write.
    model_config = ConfigDict(populate_by_name=False)

    items: ContextPath = Field(description="Path of the list.")
    item_name: str = Field(
        "item",
        alias="as",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Key under which a thread finds its item; `index` is beside it.",
    )
    parallel: int = Field(0, ge=0, description="Items that may be in work at once; 0 is no cap.")
    process: NodeRef | None = Field(
        None, description="First node of an item; without it the thread goes straight on."
    )
    merge: str = Field(
        "output", description="Path of the results, a list in item order; empty for none."
    )
    tolerate: Tolerate | None = Field(
        None, description="Items that may fail; they are listed at `errors`."
    )
    queue: QueueName | None = Field(None, description="Name of the queue to run the items on.")


class Map(Kind[MapConfig]):
    """Starts one thread an item; the results are a list in the order of the items."""

    name = "map"
    Config = MapConfig
    is_split = True

    def ports(self, config: MapConfig) -> dict[str, str | None]:
        return {**super().ports(config), "process": config.process}

    def part_ports(self, config: MapConfig) -> tuple[str, ...]:
        return ("process",)

    def sets(self, config: MapConfig) -> tuple[str, ...]:
        return (*([config.merge] if config.merge else []), config.item_name, "index")

    def check(self, config: MapConfig) -> list[tuple[str, str]]:
        problems = path_problems(config.merge, "/merge") if config.merge else []
        problems += config.tolerate.problems() if config.tolerate else []
        problems += config.rest_problems()
        if config.item_name in RESERVED:
            problems.append(("/as", f"The name {config.item_name!r} has another meaning."))
        return problems

    def run(self, call: NodeCall[MapConfig]) -> Outcome:
        config = call.config
        rows = list_at(call.context, config.items)
        if isinstance(rows, Fail):
            return rows
        start = call.ports.get("process")
        if start is None:
            return Continue(call.context)
        if not rows:
            empty = assign(call.context, config.merge, []) if config.merge else call.context
            return Continue(unless_failed(empty, config.tolerate))
        items = Items(
            start, config.items, name=config.item_name, count=len(rows), parallel=config.parallel
        )
        merge, limit = config.merge or None, tolerated(config.tolerate)
        return Split(items, merge=merge, queue=config.queue, tolerate=limit)
