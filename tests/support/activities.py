"""Activities for tests: pure, counting, failing, writing."""

import os
import signal
import threading
from asyncio import CancelledError
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Permission
from django.db import DatabaseError, connection, transaction

from workflows import clock
from workflows.activities import ActivityContext, ActivityError, NonRetryableError, activity
from workflows.models import QueueState, Thread
from workflows.states import THREAD_LIVE

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
    QueueState.objects.create(name=name, next_at=clock.now())
    if fail:
        raise ActivityError("after_write", "failed after writing")
    return name


@activity("test.alive")
def alive(context: ActivityContext) -> list[int]:
    """Return how many threads of this one's group hold a place in the window, in a list."""
    group = Thread.objects.get(pk=context.thread_id).group_id
    return [Thread.objects.filter(group_id=group, state__in=THREAD_LIVE).count()]


@activity("test.on_queue")
def on_queue(context: ActivityContext) -> int:
    """Return how many threads run on this one's queue."""
    queue = Thread.objects.get(pk=context.thread_id).queue
    return Thread.objects.filter(queue=queue, state="running").count()


@activity("test.cancel")
def cancel(context: ActivityContext) -> None:
    """Cancel the run that calls it."""
    from workflows import services  # noqa: PLC0415

    services.cancel(context.run_id)


@activity("test.cancel_and_undo")
def cancel_and_undo(context: ActivityContext) -> None:
    """Cancel the run that calls it, and let it undo what it has done."""
    from workflows import services  # noqa: PLC0415

    services.cancel(context.run_id, compensate=True)


@activity("test.linger")
def linger(value: Any = None, seconds: float = 0.05) -> Any:
    """Take a while."""
    threading.Event().wait(seconds)
    return value


class Killed(KeyboardInterrupt):
    """Ends a worker in the middle of a step, as SIGKILL does: nothing catches it."""


@activity("test.die")
def die(context: ActivityContext, attempts: int = 1) -> int:
    """Kill the worker in the first attempts."""
    calls[context.idempotency_key] += 1
    if context.attempt <= attempts:
        raise Killed
    return context.attempt


@activity("test.exit")
def leave() -> None:
    raise SystemExit(3)


class Stop(BaseException):
    """What a library of its own sort ends a task with."""


class WordlessError(ActivityError):
    """Does not call the `__init__` that it inherits."""

    def __init__(self) -> None:
        Exception.__init__(self, "no words")


class TextlessError(ActivityError):
    """Says later, by no text, what it is about."""

    def __init__(self) -> None:
        super().__init__("refused", "no")
        vars(self).update(message=b"no", failure=None)


class RudeError(BaseException):
    """Whoever asks for its text gets another one."""

    def __str__(self) -> str:
        raise self


class _Nameless(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise LookupError


class UnnamedError(Exception, metaclass=_Nameless):
    """Whoever asks for the name of its class gets an error."""


@activity("test.give_up")
def give_up(how: str) -> None:
    """Raise what is no `Exception`, as a task of asyncio that was cancelled does, or an odd one."""
    raise {
        "asyncio": CancelledError(),
        "generator": GeneratorExit(),
        "own": Stop("enough"),
        "group": BaseExceptionGroup("two", [Stop(), Stop()]),
        "wordless": WordlessError(),
        "unnamed": UnnamedError("odd"),
        "codeless": ActivityError("", "no code"),
        "textless": TextlessError(),
        "rude": RudeError(),
    }[how]


@activity("test.break_transaction", transactional=True)
def break_transaction() -> str:
    """Catch an error of the database inside the transaction, which breaks it."""
    transaction.set_rollback(True)
    return "done"


@activity("test.pass_over", transactional=True)
def pass_over() -> str:
    """Pass over an error that Django has not seen pass, but the database has."""
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
    return "done"


@activity("test.refused_commit", transactional=True)
def refused_commit(name: str) -> str:
    """Write what the database refuses only when all of it is committed."""
    QueueState.objects.create(name=name, next_at=clock.now())
    Permission.objects.create(name="x", codename="x", content_type_id=10**6)
    return name


@activity("test.after_commit", transactional=True)
def after_commit(name: str, *, leaves: bool = False) -> str:
    """Leave something to be done after the commit that fails."""
    QueueState.objects.create(name=name, next_at=clock.now())
    transaction.on_commit(leave if leaves else refuse)
    return name


@activity("test.kill")
def kill(item: int, poison: int, log: str) -> int:
    """Note the call in a file, and kill this very process when the item is the poison."""
    with Path(log).open("a", encoding="ascii") as file:
        file.write(f"{item}\n")
    if item == poison:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def _write_for_ever(name: str) -> None:
    while True:
        with transaction.atomic():
            QueueState.objects.filter(name=name).update(next_at=clock.now())
            with transaction.atomic():
                QueueState.objects.filter(name=name).update(next_at=clock.now())


@activity("test.write_for_ever")
def write_for_ever(name: str) -> None:
    """Write in transactions of its own, until its time is over."""
    _write_for_ever(name)


@activity("test.write_for_ever_with_the_step", transactional=True)
def write_for_ever_with_the_step(name: str) -> None:
    """Write in the transaction of the step, until its time is over."""
    QueueState.objects.create(name=name, next_at=clock.now())
    _write_for_ever(name)


@activity("test.hold_a_query")
def hold_a_query(name: str) -> None:
    """Write, and then wait inside the database for much longer than the time limit."""
    with transaction.atomic():
        QueueState.objects.create(name=name, next_at=clock.now())
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(600)")


@activity("test.deaf")
def deaf(name: str) -> str:
    """Pass over its time limit, and answer too late."""
    with suppress(BaseException):
        _write_for_ever(name)
    return name


@activity("test.deaf_at_first")
def deaf_at_first(name: str) -> None:
    """Pass over the first stroke of its time limit, and go on."""
    with suppress(BaseException):
        _write_for_ever(name)
    _write_for_ever(name)


#: What was done and undone outside, in order, and by which idempotency keys it was undone.
ledger: list[str] = []
undo_keys: list[str] = []


@activity("test.do")
def do(what: Any) -> str:
    """Do something that can be undone."""
    ledger.append(f"do {what}")
    return f"{what}!"


@activity("test.undo")
def undo(what: Any, context: ActivityContext, fail: int = 0) -> str:
    """Undo it, not before attempt number `fail`, and never for 99."""
    if context.attempt < fail:
        raise ActivityError("still_there", "it does not go away")
    ledger.append(f"undo {what}")
    undo_keys.append(context.idempotency_key)
    return f"no {what}"


@activity("test.echoes")
def echoes(**given: Any) -> Any:
    return given


@activity("test.undo_and_die")
def undo_and_die(what: Any, log: str, context: ActivityContext, *, dies: bool) -> str:
    """Note the idempotency key in a file, and kill this very process the first time."""
    with Path(log).open("a", encoding="ascii") as file:
        file.write(f"{context.idempotency_key}\n")
    if dies and context.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return f"no {what}"
