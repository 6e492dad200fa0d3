"""`start`: where a run begins, and what of its input it begins with."""

from typing import Any, Literal

from pydantic import Field

from workflows.absent import ABSENT
from workflows.context.paths import assign, read
from workflows.definition.fields import ContextPath, Template
from workflows.definition.model import Model, StepConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Continue, Fail, JSONObject, Outcome
from workflows.nodes.readings import type_name

TypeName = Literal["string", "integer", "number", "boolean", "object", "array"]


class InitEntry(Model):
    """One value that the run starts with."""

    path: ContextPath = Field(description="Where the value is set, and read in the input.")
    required: bool = Field(
        default=True, description="Fail when the input does not have it; null counts as given."
    )
    default: Any = Field(None, description="Taken when the input does not have it.")
    type: TypeName | None = Field(None, description="What it must be, unless it is null.")
    value: Template = Field(
        None, description="Template over the input; the value at `path` if left out."
    )

    @property
    def has_default(self) -> bool:
        """Tell whether the author wrote a default: null is one."""
        return "default" in self.model_fields_set

    def accepts(self, value: Any) -> bool:
        """Tell whether `type` allows the value; an integer is a number."""
        found = type_name(value)
        allowed = {self.type, "null", *(("integer",) if self.type == "number" else ())}
        return self.type is None or found in allowed


class StartConfig(StepConfig):
    """What an author writes for a `start`."""

    init: tuple[InitEntry, ...] | None = Field(
        None, description="The context has only these entries; without it, it is the input."
    )


class Start(Kind[StartConfig]):
    """Begins a run. A workflow has exactly one."""

    name = "start"
    Config = StartConfig

    def sets(self, config: StartConfig) -> tuple[str, ...]:
        return tuple(entry.path for entry in config.init or ())

    def check(self, config: StartConfig) -> list[tuple[str, str]]:
        return [
            (f"/init/{index}/default", f"The default is no {entry.type}, as `type` demands.")
            for index, entry in enumerate(config.init or ())
            if not entry.accepts(entry.default)
        ]

    def run(self, call: NodeCall[StartConfig]) -> Outcome:
        if call.config.init is None:
            return Continue(call.context)
        context: JSONObject = {}
        for entry in call.config.init:
            value = self._value(call, entry)
            if isinstance(value, Fail):
                return value
            if value is not ABSENT:
                context = assign(context, entry.path, value)
        return Continue(context, input=call.context)

    def _value(self, call: NodeCall[StartConfig], entry: InitEntry) -> Any:
        value = self._given(call, entry)
        if value is ABSENT and entry.required:
            return Fail("input_missing", f"The input has no {entry.path!r}, which is required.")
        if value is ABSENT:
            return entry.default if entry.has_default else ABSENT
        if entry.accepts(value):
            return value
        message = f"The input {entry.path!r} must be: {entry.type}; found: {type_name(value)}."
        return Fail("input_type", message)

    def _given(self, call: NodeCall[StartConfig], entry: InitEntry) -> Any:
        if "value" in entry.model_fields_set:
            return call.render_entry(entry.value)
        call.check_budget()
        return read(call.context, entry.path)
