"""`lock`: goes through its body while it holds locks that others may want."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from workflows.definition.fields import Duration, Mark, NodeRef
from workflows.definition.model import StepConfig
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.outcomes import Continue, Enter, Fail, JSONObject, Outcome, Suspend
from workflows.nodes.readings import type_name
from workflows.nodes.suspensions import LockWait, Resolution

MOST_NAMES, NAME_LENGTH = 100, 200


def _read_names(value: Any) -> Any:
    """Say what may stand here in one message, instead of one for each alternative."""
    names = [value] if isinstance(value, str) else value
    is_list = isinstance(names, list | tuple) and 0 < len(names) <= MOST_NAMES
    if is_list and all(isinstance(name, str) and ("${" in name or _may_be(name)) for name in names):
        return value
    message = (
        f"expected the name of a lock, or a list of 1 to {MOST_NAMES} names; none is blank, or has "
        f"more than {NAME_LENGTH} characters"
    )
    raise ValueError(message)


def _may_be(name: str) -> bool:
    return bool(name.strip()) and len(name) <= NAME_LENGTH


class LockConfig(StepConfig):
    """What an author writes for a `lock`."""

    name: Annotated[str | list[str], Mark("template"), BeforeValidator(_read_names)] = Field(
        description="Name of the lock, the same for all workflows, with `${}` where it depends on "
        "the context; or a list of names, which are all taken."
    )
    mode: Literal["exclusive", "shared"] = Field(
        "exclusive", description="`shared` may be held by many, but not beside an exclusive one."
    )
    limit: int | None = Field(
        None, ge=1, le=1_000_000, description="How many may hold the lock together; 1 if left out."
    )
    body: NodeRef = Field(
        description="First node of the body, which ends at a node without `next` or back here. "
        "The lock is held in there."
    )
    timeout: Duration | None = Field(
        None, description="Longest wait for the lock; none if left out."
    )
    on_timeout: NodeRef | None = Field(
        None, description="The node that follows at the timeout; without it the node fails."
    )
    release_while_suspended: bool = Field(
        default=False,
        description="The lock is free while the thread sleeps in the body (a wait, a timer, a "
        "question, a child run), and taken again before it goes on.",
    )


class Lock(Kind[LockConfig]):
    """Holds named locks for as long as its thread is in the body; who waits is a row in a queue."""

    name = "lock"
    Config = LockConfig
    body_ports = ("body",)
    takes_locks = True

    def ports(self, config: LockConfig) -> dict[str, str | None]:
        return {**super().ports(config), "body": config.body, "on_timeout": config.on_timeout}

    def check(self, config: LockConfig) -> list[tuple[str, str]]:
        if config.mode == "shared" and config.limit is not None:
            message = "`limit` counts exclusive holders; a lock in `shared` mode has no limit."
            return [("/limit", message)]
        return []

    def run(self, call: NodeCall[LockConfig]) -> Outcome:
        config = call.config
        names = _names(call)
        if isinstance(names, Fail):
            return names
        wait = LockWait(
            names,
            is_shared=config.mode == "shared",
            limit=config.limit or 1,
            is_released_asleep=config.release_while_suspended,
            timeout=config.timeout,
        )
        return Suspend(wait, input={"names": names, "mode": config.mode, "limit": config.limit})

    def resume(self, call: NodeCall[LockConfig], resolution: Resolution) -> Outcome:
        if resolution.by == "lock":
            return Enter(call.context, {}, lock=resolution.payload, output={"lock": "taken"})
        if "on_timeout" in call.ports:
            return Continue(call.context, port="on_timeout")
        return Fail("lock_timeout", "The lock was not free in time.")

    def again(self, call: NodeCall[LockConfig], state: JSONObject) -> Outcome:
        return Continue(call.context, output={"lock": "left"})


def _names(call: NodeCall[LockConfig]) -> list[str] | Fail:
    """Return the names, each once and in the order that all nodes take them in."""
    value = call.render(call.config.name)
    names = value if isinstance(value, list) else [value]
    for name in names:
        is_number = isinstance(name, int) and not isinstance(name, bool)
        if not is_number and not (isinstance(name, str) and _may_be(name)):
            found = f"text of {len(name)} characters" if isinstance(name, str) else type_name(name)
            message = f"`name` must give texts of 1 to {NAME_LENGTH} characters or integers"
            return Fail("lock_name_invalid", f"{message}; found: {found}.")
    if not 0 < len(names) <= MOST_NAMES:
        message = f"`name` gives {len(names)} names; a lock has 1 to {MOST_NAMES}."
        return Fail("lock_name_invalid", message)
    return sorted({str(name) for name in names})
