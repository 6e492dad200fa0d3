"""`gosub`: starts a run of another workflow, and goes on when it is over."""

from typing import Annotated, Any, Literal

from pydantic import Field

from workflows.context.merge import lay_over
from workflows.context.paths import assign
from workflows.definition.fields import ContextPath, Duration, Mark, NodeRef, WorkflowName
from workflows.definition.model import RetryPolicy, StepConfig
from workflows.nodes.base import ANYTHING, Kind, NodeCall
from workflows.nodes.children import failure_of, input_of, name_of, verdict_of
from workflows.nodes.mappings import map_targets, target_problems
from workflows.nodes.outcomes import Continue, Fail, Outcome, Suspend
from workflows.nodes.suspensions import ChildWait, Resolution

#: What expressions in `output` see of the child.
CHILD = "child"
_ONLY_WHEN_WAITING = {"retry", "timeout", "on_timeout"}


class GosubConfig(StepConfig):
    """What an author writes for a `gosub`."""

    workflow: WorkflowName = Field(description="Name of the workflow; it may be this one.")
    version: int | None = Field(
        None, ge=1, description="Its version; if left out, the newest when the first run started."
    )
    input: Annotated[dict[str, Any] | None, Mark("template")] = Field(
        None,
        description="Target path to template: all that the child starts with; an entry that is "
        "exactly `${path}` of something absent fails. If left out, a copy of the context.",
    )
    optional: tuple[str, ...] = Field(
        (), description="Targets of `input` that are left out when they are absent."
    )
    output: Annotated[dict[str, Any] | None, Mark("template", names=(CHILD,))] = Field(
        None,
        description="Target path to template over the context and `child` (`output, result, "
        "reason, status, run, workflow, version`); what is absent is skipped. If left out, the "
        "child's output is merged over the context: objects by key, the rest overwritten.",
    )
    result: ContextPath | None = Field(
        None, description="Where `child` is put, without its output; nowhere if left out."
    )
    mode: Literal["wait", "detach"] = Field(
        "wait", description="`detach` goes on at once, and the child goes its own way."
    )
    on_cancel: Literal["cancel", "abandon"] = Field(
        "cancel", description="What becomes of the child when this run is cancelled."
    )
    retry: RetryPolicy | None = Field(None, description="A failed child is followed by a new one.")
    timeout: Duration | None = Field(None, description="Longest time for one child.")
    on_timeout: NodeRef | None = Field(
        None, description="The node that follows at the timeout; without it the node fails."
    )


class Gosub(Kind[GosubConfig]):
    """Runs another workflow as a child run, with a context, a history and an error of its own.

    The thread sleeps meanwhile. A failed child fails the node with its code, a cancelled one with
    `child_cancelled`. One that ended `blocked` has answered: look at `result`.
    """

    name = "gosub"
    Config = GosubConfig

    def ports(self, config: GosubConfig) -> dict[str, str | None]:
        return {**super().ports(config), "on_timeout": config.on_timeout}

    def sets(self, config: GosubConfig) -> tuple[str, ...]:
        is_merged = config.output is None and config.mode == "wait"
        targets = (ANYTHING,) if is_merged else tuple(config.output or ())
        return (*targets, *([config.result] if config.result else ()))

    def check(self, config: GosubConfig) -> list[tuple[str, str]]:
        problems = target_problems(config.input, "/input")
        problems += target_problems(config.output, "/output")
        for index, target in enumerate(config.optional):
            if target not in (config.input or {}):
                problems.append((f"/optional/{index}", f"`input` has no target {target!r}."))
        useless = config.model_fields_set & _ONLY_WHEN_WAITING if config.mode == "detach" else ()
        problems += [(f"/{name}", f"`{name}` is for `mode: wait`.") for name in sorted(useless)]
        return problems

    def run(self, call: NodeCall[GosubConfig]) -> Outcome:
        config = call.config
        given = input_of(call, config.input, config.optional)
        if isinstance(given, Fail):
            return given
        wait = ChildWait(
            config.workflow,
            given,
            version=config.version,
            is_detached=config.mode == "detach",
            on_cancel=config.on_cancel,
            timeout=config.timeout,
        )
        return Suspend(wait)

    def resume(self, call: NodeCall[GosubConfig], resolution: Resolution) -> Outcome:
        if resolution.by == "timer":
            if "on_timeout" in call.ports:
                return Continue(call.context, port="on_timeout")
            return Fail("timeout", f"The run of {call.config.workflow!r} was not over in time.")
        config, context, child = call.config, call.context, resolution.payload
        failed = failure_of(child)
        if failed is not None:
            return failed
        if config.output is not None:
            context, _ = map_targets(context, config.output, call.scope({CHILD: child}))
        elif config.mode == "wait":
            context = lay_over(context, child["output"])
        if config.result is not None:
            context = assign(context, config.result, verdict_of(child))
        return Continue(context, input=name_of(child))
