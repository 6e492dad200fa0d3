"""The definition document as frozen models: what an author may write, with its defaults."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from workflows.definition.fields import Duration, JsonSchema, NodeRef, QueueName

NODE_ID = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"
SECRET_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"  # noqa: S105 - what a name is like
WORKFLOW_NAME = r"^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*$"


class Model(BaseModel):
    """Base of everything in a document: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class RetryPolicy(Model):
    """When a failed attempt is tried again."""

    attempts: int = Field(3, ge=1, le=1000, description="Attempts in all, the first included.")
    backoff: Duration = Field(timedelta(seconds=1), description="Wait before the second attempt.")
    factor: float = Field(2.0, ge=1, le=100, description="Each further wait is this much longer.")
    max: Duration = Field(timedelta(hours=1), description="No wait is longer than this.")
    jitter: float = Field(0.0, ge=0, le=1, description="Share of a wait that is drawn by lot.")
    on: tuple[str, ...] | None = Field(None, description="Only these error codes; all if left out.")
    unless: tuple[str, ...] = Field((), description="Never these error codes.")

    def wait_after(self, attempt: int) -> timedelta:
        """Return the wait after failed attempt number `attempt` (from 1), before jitter."""
        try:
            return min(self.max, self.backoff * self.factor ** (attempt - 1))
        except OverflowError:
            return self.max if self.backoff else self.backoff

    def covers(self, code: str) -> bool:
        """Tell whether an error with this code is tried again at all."""
        return code not in self.unless and (self.on is None or code in self.on)


class Tolerate(Model):
    """How many parts of a split may fail before all of it does: `count` or `percent` of them."""

    count: int | None = Field(None, ge=0, description="So many parts.")
    percent: float | None = Field(
        None, ge=0, le=100, description="So many of a hundred; what is left of a part is dropped."
    )

    def problems(self) -> list[tuple[str, str]]:
        """Return what is wrong with it, as `Kind.check` answers it."""
        if (self.count is None) == (self.percent is None):
            return [("/tolerate", "`tolerate` has either `count` or `percent`.")]
        return []


class NodeConfig(Model):
    """The fields that every kind of node has."""

    id: str = Field(pattern=NODE_ID, description="Unique within the workflow.")
    type: str = Field(description="The kind of the node.")
    title: str | None = Field(
        None, max_length=200, description="Shown to people instead of the id."
    )


class StepConfig(NodeConfig):
    """The fields of every kind that goes on to another node."""

    next: NodeRef | list[NodeRef] | None = Field(
        None, description="The node that follows; a list of ids is a fan-out written short."
    )
    on_error: NodeRef | None = Field(
        None, description="Receives the thread, with `error` in its context, when the node fails."
    )


class WorkConfig(StepConfig):
    """The fields of kinds that take time: tries, limits, and the queue that they run on."""

    retry: RetryPolicy | None = Field(None, description="Tried again as this says.")
    timeout: Duration | None = Field(None, description="Longest time for one attempt.")
    queue: QueueName | None = Field(None, description="Name of the queue to run on.")
    priority: int = Field(5, ge=0, le=9, description="0 is the most urgent.")


class Limits(Model):
    """Bounds of one run."""

    timeout: Duration | None = Field(None, description="The run fails when it is older than this.")
    node_executions: int = Field(
        10_000_000,
        ge=1,
        description="The run fails instead of executing more nodes. Counted at each node: what its "
        "thread has executed, what was executed before its split, and by all threads that it has "
        "joined; not what goes on beside it, which is added at the join. Nor do the splits of a "
        "run make more threads than this.",
    )
    depth: int = Field(16, ge=1, le=1000, description="Deepest nesting of child runs.")


class Definition(Model):
    """One workflow as its author wrote it; nodes are still raw and are read by their kinds."""

    # Only the names of the document: `schema_url` is no field that an author may write.
    model_config = ConfigDict(populate_by_name=False)

    schema_url: str | None = Field(
        None, alias="$schema", max_length=2000, description="For editors; the engine ignores it."
    )
    workflow: str = Field(pattern=WORKFLOW_NAME, max_length=200, description="Unique slug.")
    title: str = Field("", max_length=200)
    description: str = Field("", max_length=20_000)
    input: JsonSchema = Field(default=True, description="JSON Schema 2020-12 of the input.")
    output: JsonSchema = Field(default=True, description="JSON Schema 2020-12 of the output.")
    limits: Limits = Limits()
    nodes: list[dict[str, Any]] = Field(min_length=1, max_length=2000)
