"""A call of a Celery task, and what it ends with; stubs stand in for the task in trials."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from workflows.activities import ActivityError, NonRetryableError

#: What a task ends with: `{"answer": value}`, or `{"error": {code, message, details}}`.
Ending = Mapping[str, Any]
#: Stands in for tasks: it is given the call, and returns the answer or raises ActivityError; or
#: LookupError, when the task itself is to run.
Stub = Callable[["TaskCall"], Any]

FAILED = "task_failed"
NOT_JSON = "task_output"
UNKNOWN = "task_unknown"

_stubs: list[tuple[Stub, Collection[str]]] = []


@dataclass(frozen=True, slots=True)
class TaskCall:
    """One message of one task; `id` is its task id, and the suspension that waits for it."""

    id: UUID
    name: str
    args: list[Any] = field(hash=False)
    kwargs: dict[str, Any] = field(hash=False)
    queue: str | None = None  # None: Celery's routes decide
    priority: int | None = None
    expires: datetime | None = None  # nobody waits for it any longer


def failed(code: str, message: str, **details: Any) -> Ending:
    """Return the ending of a task that failed; the message is cut to what is kept."""
    kept = ActivityError(code, message)
    return {"error": {"code": kept.failure, "message": kept.message, "details": details or None}}


@contextmanager
def answered_by(stub: Stub, names: Collection[str] = ()) -> Iterator[None]:
    """Let `stub` stand in for the tasks that this process would run itself, inside the block.

    `names` are those that it knows, though nothing of that name may be registered.
    """
    entry = (stub, names)
    _stubs.append(entry)
    try:
        yield
    finally:
        _stubs.remove(entry)


def stubbed_names() -> Collection[str]:
    """Return the names that the stub knows."""
    return _stubs[-1][1] if _stubs else ()


def stubbed(call: TaskCall) -> Ending | None:
    """Return what the stub ends a call with; None when there is no stub for it."""
    if not _stubs:
        return None
    try:
        return {"answer": _stubs[-1][0](call)}
    except ActivityError as error:
        final = {"final": True} if isinstance(error, NonRetryableError) else {}
        return failed(error.failure, error.message, **final)
    except LookupError:
        return None
