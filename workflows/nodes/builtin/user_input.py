"""`user_input`: asks a person something, and goes on with the answer."""

from typing import Annotated

from pydantic import Field

from workflows.context.paths import assign
from workflows.definition.fields import ContextPath, Duration, JsonSchema, Mark, NodeRef, Template
from workflows.definition.model import Model, StepConfig
from workflows.errors import NodeError
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Continue, Fail, Outcome, Suspend
from workflows.nodes.readings import text_at, type_name
from workflows.nodes.suspensions import PersonWait, Resolution

PROMPT_LENGTH = 2000
NAME_LENGTH = 150


class People(Model):
    """Who is asked: members of groups, people by name, or both."""

    groups: Template = Field([], description="Names of groups; who is a member is looked up late.")
    users: Template = Field([], description="Names of people.")


class UserInputConfig(StepConfig):
    """What an author writes for a `user_input`."""

    prompt: Annotated[str, Mark("template")] = Field(
        min_length=1, max_length=PROMPT_LENGTH, description="The question, as a text template."
    )
    form: JsonSchema | None = Field(
        None, description="JSON Schema of the answer; any JSON value if left out."
    )
    to: People = Field(
        People(),
        description="Who may answer. Left out, the person who has started the run. Whoever has the "
        "permission `workflows.answer_question` may answer every question.",
    )
    timeout: Duration | None = Field(
        None, description="Longest wait from being asked; none if left out."
    )
    on_timeout: NodeRef | None = Field(
        None, description="The node that follows at the timeout; without it the node fails."
    )
    result: ContextPath = Field("output", description="Where the answer is put.")


class UserInput(Kind[UserInputConfig]):
    """Sleeps until a person has answered.

    One question of a run is asked at a time, in order of arrival, across its splits and its
    children; nobody hears of the others before it is their turn. What can move goes on meanwhile.
    """

    name = "user_input"
    Config = UserInputConfig
    is_bounded = True
    answer_fields = ("data", "form", "by")

    def ports(self, config: UserInputConfig) -> dict[str, str | None]:
        return {**super().ports(config), "on_timeout": config.on_timeout}

    def sets(self, config: UserInputConfig) -> tuple[str, ...]:
        return (config.result,)

    def check(self, config: UserInputConfig) -> list[tuple[str, str]]:
        if config.on_timeout and config.timeout is None:
            return [("/on_timeout", "nothing can time out without `timeout`; add for example P2D")]
        return []

    def run(self, call: NodeCall[UserInputConfig]) -> Outcome:
        config = call.config
        prompt = text_at(call, config.prompt).strip()[:PROMPT_LENGTH] or config.title or config.id
        to = {"groups": _names(call, "groups"), "users": _names(call, "users")}
        wait = PersonWait(
            {"form": config.form, "to": to}, config.timeout, is_exclusive=True, prompt=prompt
        )
        return Suspend(wait, input={"prompt": prompt, "to": to})

    def resume(self, call: NodeCall[UserInputConfig], resolution: Resolution) -> Outcome:
        if resolution.by == "answer":
            return Continue(assign(call.context, call.config.result, resolution.payload))
        if "on_timeout" in call.ports:
            return Continue(call.context, port="on_timeout")
        return Fail("timeout", f"Nobody answered within {call.config.timeout}.")


def _names(call: NodeCall[UserInputConfig], field: str) -> list[str]:
    """Return the rendered names, each once, in the author's order."""
    value = call.render(getattr(call.config.to, field))
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        message = f"`to.{field}` must be a list of names; found: {type_name(value)}."
        raise NodeError("question_invalid", message)
    if not all(isinstance(name, str) and 0 < len(name) <= NAME_LENGTH for name in names):
        message = f"`to.{field}` must hold names only, of 1 to {NAME_LENGTH} characters."
        raise NodeError("question_invalid", message)
    return list(dict.fromkeys(names))
