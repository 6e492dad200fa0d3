"""Stands in a stored version for a node that this code cannot read any more."""

from pydantic import ConfigDict

from workflows.definition.model import StepConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Fail, JSONObject, Outcome
from workflows.nodes.suspensions import Resolution


class UnreadableConfig(StepConfig):
    """What is left of the node, and why it is no more."""

    model_config = ConfigDict(extra="ignore")

    why: str


class Unreadable(Kind[UnreadableConfig]):
    """Fails when it is reached or woken: its kind, or a field of it, is gone since then.

    So a run that sleeps behind other nodes goes on, and one that needs this node tells of it. With
    code that reads the node again, a retry of the run goes on from here.
    """

    name = "unreadable"
    Config = UnreadableConfig

    def run(self, call: NodeCall[UnreadableConfig]) -> Outcome:
        return Fail("node_unreadable", call.config.why)

    def resume(self, call: NodeCall[UnreadableConfig], resolution: Resolution) -> Outcome:
        return self.run(call)

    def again(self, call: NodeCall[UnreadableConfig], state: JSONObject) -> Outcome:
        return self.run(call)
