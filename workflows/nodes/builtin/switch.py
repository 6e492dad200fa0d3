"""`switch`: goes on at the first choice whose condition is true."""

from pydantic import Field

from workflows.definition.fields import Condition, NodeRef
from workflows.definition.model import Model, NodeConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Continue, Outcome

RESERVED = ("default", "on_error")


class Choice(Model):
    """One way out of a switch."""

    name: str | None = Field(
        None, min_length=1, max_length=100, description="Name of its port; its index if left out."
    )
    when: Condition = Field("", description="CEL condition; a blank one is passed over.")
    next: NodeRef | None = Field(
        None, description="The node that follows; a choice without one is passed over."
    )


class SwitchConfig(NodeConfig):
    """What an author writes for a `switch`."""

    choices: tuple[Choice, ...] = Field((), description="Asked in this order; the first true wins.")
    default: NodeRef = Field(description="The node that follows when no choice wins.")
    on_error: NodeRef | None = Field(
        None, description="Receives the thread, with `error` in its context, when the node fails."
    )

    def named_choices(self) -> list[tuple[str, Choice]]:
        """Return the choices with the names of their ports."""
        return [(choice.name or str(index), choice) for index, choice in enumerate(self.choices)]


class Switch(Kind[SwitchConfig]):
    """Decides where to go; it changes nothing."""

    name = "switch"
    Config = SwitchConfig

    def ports(self, config: SwitchConfig) -> dict[str, str | None]:
        choices = {name: choice.next for name, choice in config.named_choices()}
        return {**choices, "default": config.default, "on_error": config.on_error}

    def required_ports(self, config: SwitchConfig) -> tuple[str, ...]:
        return ("default",)

    def check(self, config: SwitchConfig) -> list[tuple[str, str]]:
        problems: list[tuple[str, str]] = []
        taken = set(RESERVED)
        for index, (name, _) in enumerate(config.named_choices()):
            if name in taken:
                problems.append((f"/choices/{index}/name", f"The port name {name!r} is taken."))
            taken.add(name)
        return problems

    def run(self, call: NodeCall[SwitchConfig]) -> Outcome:
        for name, choice in call.config.named_choices():
            # Asked even when it leads nowhere: an error in it must not hide until it is connected.
            if choice.when.strip() and call.condition(choice.when) and choice.next:
                return Continue(call.context, port=name)
        return Continue(call.context, port="default")
