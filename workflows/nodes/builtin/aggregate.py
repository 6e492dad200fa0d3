"""`aggregate`: folds a list into one value."""

from typing import Any, Literal

from pydantic import Field

from workflows.context.paths import assign
from workflows.definition.fields import Cel, ContextPath
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.items import EachItemConfig, each_item, name_problems
from workflows.nodes.outcomes import Continue, Fail, JSONObject, Outcome

#: The functions of expressions do the folding, so that both count alike; null for an empty list.
_FOLDS = {
    "sum": "sum(values)",
    "count": "size(values)",
    "avg": "default(avg(values), null)",
    "min": "default(min(values), null)",
    "max": "default(max(values), null)",
    "first": "default(first(values), null)",
    "last": "default(last(values), null)",
}


class AggregateConfig(EachItemConfig):
    """What an author writes for an `aggregate`."""

    function: Literal["sum", "count", "avg", "min", "max", "first", "last", "group_by"] = Field(
        description="How the list is folded; of an empty list sum and count are 0, groups {}, "
        "the others null."
    )
    value: Cel | None = Field(
        None,
        description="CEL of what counts of an item, for `group_by` its group; the item itself if "
        "left out.",
    )
    result: ContextPath = Field("output", description="Where the answer is put.")


class Aggregate(Kind[AggregateConfig]):
    """Sets one path to the sum, the mean, the groups ... of a list."""

    name = "aggregate"
    Config = AggregateConfig

    def sets(self, config: AggregateConfig) -> tuple[str, ...]:
        return (config.result, config.item_name, "index")

    def check(self, config: AggregateConfig) -> list[tuple[str, str]]:
        return name_problems(config)

    def run(self, call: NodeCall[AggregateConfig]) -> Outcome:
        config, rows = call.config, each_item(call)
        if isinstance(rows, Fail):
            return rows
        values = [item for item, _ in rows]
        if config.value is not None:
            values = [call.evaluate(config.value, names) for _, names in rows]
        if config.function == "group_by":
            folded: Any = _groups(call, [item for item, _ in rows], values)
        else:
            folded = call.evaluate(_FOLDS[config.function], {"values": values})
        return Continue(assign(call.context, config.result, folded))


def _groups(call: NodeCall[AggregateConfig], items: list[Any], keys: list[Any]) -> JSONObject:
    """Return {group: items}, the groups in the order of their first items."""
    pairs = [{"group": key, "item": item} for key, item in zip(keys, items, strict=True)]
    groups = call.evaluate("group_by(pairs, 'group')", {"pairs": pairs})
    return {name: [pair["item"] for pair in members] for name, members in groups.items()}
