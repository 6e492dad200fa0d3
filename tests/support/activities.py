"""Activities for tests: pure, counting, failing, writing."""

from collections import Counter
from typing import Any

from workflows.activities import ActivityContext, ActivityError, NonRetryableError, activity
from workflows.models import QueueState

#: How often each idempotency key was called in this process.
calls: Counter[str] = Counter()


@activity("test.double")
def double(number: int) -> int:
    return number * 2


@activity("test.echo")
def echo(value: Any = None) -> Any:
    return value


@activity("test.count")
def count(context: ActivityContext) -> int:
    """Return how often this step was called."""
    calls[context.idempotency_key] += 1
    return calls[context.idempotency_key]


@activity("test.fail_until")
def fail_until(attempt: int, context: ActivityContext, code: str = "not_yet") -> int:
    """Fail until this attempt."""
    if context.attempt < attempt:
        raise ActivityError(code, "not yet")
    return context.attempt


@activity("test.refuse")
def refuse() -> None:
    raise NonRetryableError("refused", "never again")


@activity("test.not_json")
def not_json() -> Any:
    return float("nan")


@activity("test.write", transactional=True)
def write(name: str, *, fail: bool = False) -> str:
    """Write a row with the step; any table of the project does."""
    from workflows import clock  # noqa: PLC0415

    QueueState.objects.create(name=name, next_at=clock.now())
    if fail:
        raise ActivityError("after_write", "failed after writing")
    return name
