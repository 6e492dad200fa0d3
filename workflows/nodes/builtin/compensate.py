"""`compensate`: undoes what the run has done, the newest first."""

from pydantic import Field

from workflows.context.paths import assign
from workflows.definition.fields import ContextPath, NodeRef
from workflows.definition.model import WorkConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Compensate, Continue, Enter, Fail, JSONObject, Outcome, Suspend
from workflows.nodes.suspensions import ActivityCall, Resolution


class CompensateConfig(WorkConfig):
    """What an author writes for a `compensate`."""

    nodes: tuple[NodeRef, ...] | None = Field(
        None, min_length=1, description="Only the steps of these nodes; of all if left out."
    )
    result: ContextPath | None = Field(
        None,
        description="Where the list of what was compensated is put, `{node, thread, seq, activity, "
        "output}` each; nowhere if left out.",
    )


class CompensateSteps(Kind[CompensateConfig]):
    """Runs the compensations of finished steps in reverse order of completion.

    One after the other, in all threads of the run; a child run undoes its own. Each is a step of
    its own with its own attempts (`retry`) and an idempotency key that belongs to the step that is
    undone. What was compensated is not compensated again. One that fails fails the node:
    `error.details.compensating` names the step, and what came before it stays compensated.
    """

    name = "compensate"
    Config = CompensateConfig

    def sets(self, config: CompensateConfig) -> tuple[str, ...]:
        return (config.result,) if config.result else ()

    def run(self, call: NodeCall[CompensateConfig]) -> Outcome:
        return Compensate({"done": []}, call.config.nodes)

    def again(self, call: NodeCall[CompensateConfig], state: JSONObject) -> Outcome:
        config = call.config
        if "step" not in state:
            return Compensate(state, config.nodes)
        step = state["step"]
        if step is None:
            done, context = state["done"], call.context
            return Continue(assign(context, config.result, done) if config.result else context)
        wanted, named = step["compensation"], _named(step)
        about = {"compensating": named}
        if "error" in wanted:
            return Fail(**wanted["error"], details={**about, "final": True}, input=named)
        asked = ActivityCall(
            wanted["activity"],
            wanted["input"],
            queue=config.queue,
            attempts=config.retry.attempts if config.retry else None,
            timeout=config.timeout,
            key=f"{call.run['id']}:{step['thread']}:{step['seq']}:compensate",
        )
        return Suspend(asked, input={**named, "input": wanted["input"]}, about=about)

    def resume(self, call: NodeCall[CompensateConfig], resolution: Resolution) -> Outcome:
        state, answer = call.state or {}, {"output": resolution.payload}
        step = state["step"]
        # Kept only for `result`: each of ten thousand would carry all before it.
        noted = [{**_named(step), **answer}] if call.config.result else []
        done = {"done": [*state["done"], *noted]}
        return Enter(call.context, done, compensates=step["id"], output=answer)


def _named(step: JSONObject) -> JSONObject:
    """Return which step it is that is undone, and by what."""
    named = {key: step[key] for key in ("node", "thread", "seq")}
    return {**named, "activity": step["compensation"]["activity"]}
