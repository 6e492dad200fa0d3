"""`filter`: keeps the items of a list for which a condition holds."""

from pydantic import Field

from workflows.context.paths import assign
from workflows.definition.fields import Condition, ContextPath
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.items import EachItemConfig, each_item, name_problems
from workflows.nodes.outcomes import Continue, Fail, Outcome


class FilterConfig(EachItemConfig):
    """What an author writes for a `filter`."""

    when: Condition = Field(
        min_length=1, description="CEL condition over the context, the item and `index`."
    )
    result: ContextPath | None = Field(
        None, description="Where the kept items are put; in place of the list if left out."
    )


class Filter(Kind[FilterConfig]):
    """Keeps items in their order; the list itself stays as it is when `result` is another path."""

    name = "filter"
    Config = FilterConfig

    def sets(self, config: FilterConfig) -> tuple[str, ...]:
        return (config.result or config.items, config.item_name, "index")

    def check(self, config: FilterConfig) -> list[tuple[str, str]]:
        return name_problems(config)

    def run(self, call: NodeCall[FilterConfig]) -> Outcome:
        config = call.config
        rows = each_item(call)
        if isinstance(rows, Fail):
            return rows
        kept = [item for item, names in rows if call.condition(config.when, names)]
        return Continue(assign(call.context, config.result or config.items, kept))
