"""`edit`: sets, deletes, moves and copies values of the context."""

from dataclasses import replace

from pydantic import ConfigDict, Field

from workflows.absent import ABSENT
from workflows.context.paths import assign, delete, read
from workflows.definition.fields import ContextPath, Template
from workflows.definition.model import Model, StepConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Continue, Fail, JSONObject, Outcome

OPERATIONS = ("set", "delete", "move", "copy")
#: What must stand beside an operation; anything else of these must not.
BESIDE = {"set": "value", "delete": None, "move": "to", "copy": "to"}


class EditEntry(Model):
    """One operation on the context."""

    # Only the names of the document: `set_path` is no field that an author may write.
    model_config = ConfigDict(populate_by_name=False)

    set_path: ContextPath | None = Field(None, alias="set", description="Path to set to `value`.")
    value: Template = Field(None, description="What `set` sets.")
    delete_path: ContextPath | None = Field(
        None, alias="delete", description="Path to delete; nothing happens if it is absent."
    )
    move_path: ContextPath | None = Field(
        None, alias="move", description="Path of the value to move; it must be there."
    )
    copy_path: ContextPath | None = Field(
        None, alias="copy", description="Path of the value to copy; it must be there."
    )
    to: ContextPath | None = Field(None, description="Where `move` and `copy` put the value.")

    def written(self) -> list[str]:
        """Return the operations of this entry: a sound one has exactly one."""
        return [name for name in OPERATIONS if getattr(self, f"{name}_path") is not None]


class EditConfig(StepConfig):
    """What an author writes for an `edit`."""

    entries: tuple[EditEntry, ...] = Field(
        description="Done in this order; each sees what the ones before it did."
    )


class Edit(Kind[EditConfig]):
    """Changes the context, or fails and changes nothing."""

    name = "edit"
    Config = EditConfig

    def sets(self, config: EditConfig) -> tuple[str, ...]:
        targets = (entry.set_path or entry.to for entry in config.entries)
        return tuple(target for target in targets if target is not None)

    def check(self, config: EditConfig) -> list[tuple[str, str]]:
        return [
            (f"/entries/{index}", message)
            for index, entry in enumerate(config.entries)
            for message in _entry_problems(entry)
        ]

    def run(self, call: NodeCall[EditConfig]) -> Outcome:
        context = call.context
        for entry in call.config.entries:
            done = self._apply(replace(call, context=context), entry)
            if isinstance(done, Fail):
                return done
            context = done
        return Continue(context)

    def _apply(self, call: NodeCall[EditConfig], entry: EditEntry) -> JSONObject | Fail:
        context = call.context
        if entry.set_path is not None:
            return assign(context, entry.set_path, call.render(entry.value))
        call.check_budget()
        if entry.delete_path is not None:
            return delete(context, entry.delete_path)
        source = entry.move_path or entry.copy_path or ""
        value = read(context, source)
        if value is ABSENT:
            return Fail("source_absent", f"There is nothing at {source!r} to move or copy.")
        rest = delete(context, source) if entry.move_path else context
        return assign(rest, entry.to or "", value)


def _entry_problems(entry: EditEntry) -> list[str]:
    written = entry.written()
    if len(written) != 1:
        found = ", ".join(written) or "none"
        return [f"An entry has exactly one of set, delete, move, copy; found: {found}."]
    operation = written[0]
    needed = BESIDE[operation]
    beside = entry.model_fields_set & {"value", "to"}
    problems = [f"`{name}` does not belong to `{operation}`." for name in sorted(beside - {needed})]
    if needed is not None and needed not in beside:
        problems.append(f"`{operation}` needs `{needed}` beside it.")
    return problems
