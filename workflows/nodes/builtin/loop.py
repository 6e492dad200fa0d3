"""`loop`: goes through its body again and again."""

from pydantic import Field

from workflows.definition.fields import Condition, NodeRef
from workflows.definition.model import StepConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Continue, Enter, Fail, JSONObject, Outcome

KEY = "loop"


class LoopConfig(StepConfig):
    """What an author writes for a `loop`."""

    body: NodeRef = Field(
        description="First node of the body, which ends at a node without `next` or back here."
    )
    while_: Condition | None = Field(
        None, alias="while", description="CEL condition; the body follows as long as it is true."
    )
    until: Condition | None = Field(
        None, description="CEL condition; the body follows as long as it is false."
    )
    max_iterations: int = Field(ge=1, le=1_000_000, description="Most times through the body.")
    on_limit: NodeRef | None = Field(
        None, description="The node that follows at the limit; without it the node fails."
    )


class Loop(Kind[LoopConfig]):
    """Repeats its body in the thread's own context, with `loop.index` counting from 0.

    The limit is looked at before the condition, the condition before each time through the body.
    An edge from the body to what can also be reached after the loop, or without it, leaves it.
    """

    name = "loop"
    Config = LoopConfig
    is_bounded = True
    body_ports = ("body",)

    def ports(self, config: LoopConfig) -> dict[str, str | None]:
        return {**super().ports(config), "body": config.body, "on_limit": config.on_limit}

    def sets(self, config: LoopConfig) -> tuple[str, ...]:
        return (KEY,)

    def check(self, config: LoopConfig) -> list[tuple[str, str]]:
        if config.while_ is not None and config.until is not None:
            return [("/until", "A loop has `while` or `until`, not both.")]
        if config.while_ is None and config.until is None and config.on_limit is None:
            return [("", "A loop without `while`, `until` and `on_limit` could only fail.")]
        return []

    def run(self, call: NodeCall[LoopConfig]) -> Outcome:
        around = [call.context[KEY]] if KEY in call.context else []
        return _turn(call, 0, around)

    def again(self, call: NodeCall[LoopConfig], state: JSONObject) -> Outcome:
        return _turn(call, state["index"] + 1, state["around"])

    def left(self, context: JSONObject, state: JSONObject) -> JSONObject:
        rest = {key: value for key, value in context.items() if key != KEY}
        return {**rest, KEY: state["around"][0]} if state["around"] else rest


def _turn(call: NodeCall[LoopConfig], index: int, around: list[JSONObject]) -> Outcome:
    """Begin time number `index` through the body, or go on; `around` is an outer loop's `loop`."""
    config = call.config
    if index >= config.max_iterations:
        if "on_limit" in call.ports:
            return Continue(call.context, port="on_limit")
        message = f"The loop went {index} times through its body, the most that it may."
        return Fail("loop_limit", message)
    context = {**call.context, KEY: {"index": index}}
    if not _goes_on(call, context):
        return Continue(call.context)
    return Enter(context, {"index": index, "around": around})


def _goes_on(call: NodeCall[LoopConfig], context: JSONObject) -> bool:
    config = call.config
    if config.while_ is not None and config.while_.strip():
        return call.condition(config.while_, context)
    if config.until is not None and config.until.strip():
        return not call.condition(config.until, context)
    return True
