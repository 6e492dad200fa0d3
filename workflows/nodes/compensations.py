"""How a step says what undoes it: the field `compensate` of kinds that work outside."""

from typing import Annotated, Any

from pydantic import Field

from workflows.definition.fields import ActivityName, Mark
from workflows.definition.model import Model, WorkConfig
from workflows.errors import CeleriacError
from workflows.nodes.base import NodeCall
from workflows.nodes.outcomes import Continue, JSONObject


class Compensation(Model):
    """What undoes a step that has finished, when a `compensate` node asks for it."""

    activity: ActivityName = Field(description="Name of a registered activity.")
    input: Annotated[Any, Mark("template", names=("input", "output"))] = Field(
        default_factory=lambda: {"input": "${input}", "output": "${output}"},
        description="Template of an object: the activity's parameters. It is filled in when the "
        "step has finished, from the context behind it; `input` is what the step was given, "
        "`output` its answer.",
    )


class UndoableConfig(WorkConfig):
    """The fields of kinds that work outside, and whose work can be undone there."""

    compensate: Compensation | None = Field(
        None, description="The activity that undoes it, should it come to that."
    )


def finished(call: NodeCall[Any], context: JSONObject, answer: Any) -> Continue:
    """Return the way on of a step that has its answer, with what undoes the step."""
    wanted: Compensation | None = call.config.compensate
    if wanted is None:
        return Continue(context)
    given = {**context, "input": call.asked, "output": answer}
    try:
        undo = {"activity": wanted.activity, "input": call.render(wanted.input, given)}
    except CeleriacError as error:
        # What is done is done: the `compensate` node is where this fails.
        told = {"code": error.code, "message": error.message}
        undo = {"activity": wanted.activity, "error": told}
    return Continue(context, compensation=undo)
