"""What kinds that look at every item of a list share."""

from typing import Any

from pydantic import ConfigDict, Field

from workflows.definition.fields import ContextPath
from workflows.definition.model import StepConfig
from workflows.nodes.base import NodeCall
from workflows.nodes.outcomes import Fail, JSONObject
from workflows.nodes.readings import list_at

#: Names that mean something else in every expression.
RESERVED = ("index", "run", "now", "event")


class EachItemConfig(StepConfig):
    """The fields of kinds that look at every item of a list."""

    # Only the names of the document: `item_name` is no field an author may write.
    model_config = ConfigDict(populate_by_name=False)

    items: ContextPath = Field(description="Path of the list.")
    item_name: str = Field(
        "item",
        alias="as",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Name of the item in expressions; `index` is beside it.",
    )


def each_item(call: NodeCall[Any]) -> list[tuple[Any, JSONObject]] | Fail:
    """Return (item, names in scope for it) for the list that the node looks at."""
    rows = list_at(call.context, call.config.items)
    if isinstance(rows, Fail):
        return rows
    name = call.config.item_name
    return [(item, {name: item, "index": index}) for index, item in enumerate(rows)]


def name_problems(config: EachItemConfig) -> list[tuple[str, str]]:
    """Return what is wrong with the item's name, as `Kind.check` answers it."""
    if config.item_name in RESERVED:
        return [("/as", f"The name {config.item_name!r} has another meaning.")]
    return []
