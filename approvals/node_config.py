"""What an author may write in an `approval` node."""

from typing import Annotated, Literal

from pydantic import Field

from workflows.definition.fields import ContextPath, Duration, JsonSchema, Mark, NodeRef, Template
from workflows.definition.model import Model, StepConfig

#: What `on_timeout` can say instead of a node's id.
WORDS = frozenset({"approve", "reject"})


class To(Model):
    """Whom to ask: members of groups, people by name, or both."""

    groups: Template = Field([], description="Names of groups; who is a member is looked up late.")
    users: Template = Field([], description="Names of people.")


Need = Annotated[int, Field(ge=1)] | Annotated[str, Field(pattern=r"^(all|100%|[1-9]\d?%)$")]
_NEED = "How many must agree: a number, `all`, or a percentage as `50%`."


class Stage(Model):
    """One round of asking."""

    to: To = Field(description="Whom to ask.")
    need: Need = Field(1, description=_NEED)


class Not(Model):
    """Four eyes: who may not decide although they were asked."""

    requester: bool = Field(default=True, description="Who started the run may not decide.")
    same_person_twice: Literal[True] = Field(default=True, description="One vote a person.")


class ApprovalConfig(StepConfig):
    """The fields of `approval`."""

    title: Annotated[str, Field(max_length=2000), Mark("template")] | None = Field(
        None, description="What people read in their list; `${}` is filled in."
    )
    to: To | None = Field(None, description="Whom to ask: one stage, written short.")
    need: Need = Field(1, description=_NEED)
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=1)] | None = Field(
        None, description="The stage, instead of `to` and `need`; several are not built yet."
    )
    show: tuple[ContextPath, ...] = Field((), description="Context paths that people may see.")
    form: JsonSchema | None = Field(None, description="JSON Schema of what people fill in.")
    not_: Not = Field(Not(), alias="not", description="Who may not decide.")
    due: Duration | None = Field(None, description="When nobody decided in this time: a timeout.")
    on_timeout: str | None = Field(
        None,
        description="Where to go then: `approve`, `reject`, or a node id. Left out, the node fails "
        "with `timeout`. A node named like one of the words cannot be reached this way.",
    )
    on_reject: NodeRef | None = Field(
        None, description="Where to go after a rejection; left out, the run ends `blocked`."
    )
    result: ContextPath = Field("decision", description="Where the decision lands.")

    @property
    def timeout_node(self) -> str | None:
        """The node behind the port `on_timeout`; None when the timeout is one of the words."""
        return None if self.on_timeout in WORDS else self.on_timeout

    @property
    def stage(self) -> Stage:
        """The stage, however it was written."""
        return self.stages[0] if self.stages else Stage(to=self.to or To(), need=self.need)

    def problems(self) -> list[tuple[str, str]]:
        """Return (JSON pointer inside the node, message) for what fields alone cannot tell."""
        found = []
        if self.stages and (self.to or "need" in self.model_fields_set):
            found.append(("/stages", "write either `stages`, or `to` and `need`, not both"))
        if not self.stage.to.groups and not self.stage.to.users:
            where = "/stages/0/to" if self.stages else "/to"
            found.append((where, "nobody is asked: name at least one group or user"))
        if self.form is not None and not _is_object_schema(self.form):
            found.append(("/form", "a form is filled in by name: write `type: object`"))
        if self.on_timeout and self.due is None:
            found.append(("/on_timeout", "nothing can time out without `due`; add for example P2D"))
        return found


def _is_object_schema(schema: JsonSchema) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "object"
