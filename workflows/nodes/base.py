"""What a kind is: a config, a handler, and its ports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from workflows import expressions
from workflows.absent import Absent
from workflows.definition.model import NodeConfig, StepConfig
from workflows.errors import CeleriacError
from workflows.expressions import Budget
from workflows.nodes.outcomes import Continue, JSONObject, Outcome
from workflows.nodes.suspensions import PersonWait, Resolution

#: In what a kind `sets`: it may set any name.
ANYTHING = "*"

C = TypeVar("C", bound=NodeConfig)


@dataclass(frozen=True, slots=True)
class NodeCall(Generic[C]):
    """Everything that a handler may know when it is called.

    `run` is the read-only object that expressions see under the same name (`id, workflow, version,
    key, depth, started_at, parent`); `ports` maps each connected port to the node behind it.
    `asked` is the input of the `Suspend` that the node is woken from, `state` what its `Enter` gave
    last. All expressions of one call share its `budget`: evaluate them by its methods.
    """

    config: C
    context: JSONObject
    ports: Mapping[str, str]
    run: JSONObject
    now: datetime
    asked: Any = None
    state: JSONObject | None = None
    budget: Budget = field(default_factory=lambda: Budget("the node"), repr=False, compare=False)

    def scope(self, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the names that expressions can use: the context's keys, `run`, `now`, `extra`."""
        return {**self.context, "run": self.run, "now": self.now, **(extra or {})}

    def evaluate(self, source: str, extra: Mapping[str, Any] | None = None) -> Any:
        """Return the value of a CEL expression. Raises ExpressionError."""
        self.check_budget()
        return expressions.evaluate(source, self.scope(extra), self.budget)

    def condition(self, source: str, extra: Mapping[str, Any] | None = None) -> bool:
        """Return the value of a CEL condition; anything but a boolean is an ExpressionError."""
        self.check_budget()
        return expressions.evaluate_condition(source, self.scope(extra), self.budget)

    def render(self, template: Any, extra: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON value of a template with `${}` in it. Raises ExpressionError."""
        self.check_budget()
        return expressions.render(template, self.scope(extra), self.budget)

    def render_entry(self, template: Any) -> Any | Absent:
        """Return as `render` does, but ABSENT for exactly `${path}` of something that is absent."""
        self.check_budget()
        return expressions.render_entry(template, self.scope(), self.budget)

    def check_budget(self) -> None:
        """Raise ExpressionLimitError when the call has used up its time.

        For loops over what an author wrote that evaluate nothing: they too can be long.
        """
        expressions.check_budget(self.budget)


class Kind(Generic[C]):
    """A kind of node. Subclass it in `nodes/builtin/` or in an app's `workflow_nodes.py`.

    `name` is the `type` that authors write, `Config` holds the fields that they may write.
    `is_bounded` tells the compiler that a cycle through this kind cannot spin.
    `body_ports` are the ports behind which a thread is inside of the node (a loop, a lock) until
    it comes back: by an edge to the node, or at the end of a way that leads nowhere.
    `takes_locks` tells that it waits for locks: whatever ends a thread then frees what it held.
    `answer_fields` are what a scripted answer of `workflow try` may have; empty for anything.
    """

    name: ClassVar[str]
    Config: ClassVar[type[NodeConfig]]
    is_bounded: ClassVar[bool] = False
    is_split: ClassVar[bool] = False
    is_join: ClassVar[bool] = False
    body_ports: ClassVar[tuple[str, ...]] = ()
    takes_locks: ClassVar[bool] = False
    answer_fields: ClassVar[tuple[str, ...]] = ()

    def ports(self, config: C) -> dict[str, str | None]:
        """Return every port's name and the node behind it (None: not connected)."""
        ports: dict[str, str | None] = {}
        if isinstance(config, StepConfig):
            ports["next"] = config.next if isinstance(config.next, str) else None
            ports["on_error"] = config.on_error
        return ports

    def part_ports(self, config: C) -> tuple[str, ...]:
        """Return the ports behind which a split's threads start, in definition order."""
        return ()

    def required_ports(self, config: C) -> tuple[str, ...]:
        """Return the ports that must be connected."""
        return ()

    def sets(self, config: C) -> tuple[str, ...]:
        """Return the context paths that this node sets; ANYTHING when that cannot be told.

        For the unknown-name warning, and to tell what an item of a `map` leaves from what stood
        at the path before.
        """
        return ()

    def secrets(self, config: C) -> Mapping[str, str]:
        """Return the JSON pointer inside the node, and the name, of each secret that it names."""
        return {}

    def check(self, config: C) -> list[tuple[str, str]]:
        """Return (JSON pointer inside the node, message) for what fields alone cannot tell."""
        return []

    def run(self, call: NodeCall[C]) -> Outcome:
        """Act: pure, no clock, no database."""
        raise NotImplementedError

    def resume(self, call: NodeCall[C], resolution: Resolution) -> Outcome:
        """Act on what the thread was woken with; only for kinds that suspend."""
        return Continue(call.context)

    def again(self, call: NodeCall[C], state: JSONObject) -> Outcome:
        """Act when the thread is back from the node's body; `state` is what `Enter` gave.

        `Continue` leaves the body behind, another `Enter` goes through it once more.
        """
        return Continue(call.context)

    def left(self, context: JSONObject, state: JSONObject) -> JSONObject:
        """Return the context of a thread that has left the body, by any way."""
        return context

    def on_suspended(self, suspension_id: str, call: NodeCall[C], wait: PersonWait) -> None:
        """Write a plug-in's own row, inside the transaction that asks.

        That is the one that puts the thread to sleep; of a wait in the question queue, the one in
        which its turn comes. A `CeleriacError`, raised before anything was written, fails the node.
        """

    def on_closed(self, suspension_id: str, by: str) -> None:
        """Close a plug-in's own row, inside the transaction that closes the wait otherwise."""

    def answer(self, suspension_id: str, answer: Mapping[str, Any], user: Any) -> Any:
        """Give a person's answer to a wait of this kind, and return what the person is told.

        Raises:
            CeleriacError: the answer is refused, or this kind takes none.
        """
        message = f"A wait of kind {self.name!r} cannot be answered by a person."
        raise CeleriacError(message)

    def who_answers(self, suspension_id: str) -> str:
        """Return who can answer a wait of this kind, for example 'group legal'."""
        return ""

    def asks(self, suspension_id: str) -> str:
        """Return what a wait of this kind asks, for example its title."""
        return ""

    def scripted(self, config: C, answer: Mapping[str, Any]) -> Any:
        """Return the payload that a scripted answer of `workflow try` stands for.

        Raises:
            InputRefusedError: the node could not be answered like this.
        """
        return answer["data"] if "data" in answer else answer.get("form")
