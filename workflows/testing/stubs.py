"""Activities and tasks that answer from a script: the n-th call takes the n-th answer."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workflows.activities import Activity, ActivityError, NonRetryableError, activities
from workflows.dispatch.task_calls import Stub, TaskCall
from workflows.effects.allowed import is_harmless
from workflows.errors import suggest
from workflows.models import Suspension


class StubError(BaseModel):
    """The error that a scripted call ends with; `retry` applies unless `final`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(min_length=1, max_length=100, description="What `retry.on` sees.")
    message: str = Field("", max_length=500, description="What people read.")
    final: bool = Field(default=False, description="Never tried again.")


class StubAnswer(BaseModel):
    """One scripted answer: an output or an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    output: Any = Field(None, description="What the activity returns.")
    error: StubError | None = Field(None, description="What it fails with instead.")

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "StubAnswer":
        if len(self.model_fields_set & {"output", "error"}) != 1:
            message = "an answer has either `output` or `error`"
            raise ValueError(message)
        return self

    def give(self) -> Any:
        """Return the output, or raise the error."""
        if self.error is None:
            return self.output
        kind = NonRetryableError if self.error.final else ActivityError
        raise kind(self.error.code, self.error.message or self.error.code)


Stubs = dict[str, Annotated[list[StubAnswer], Field(min_length=1)]]


def stubbed(
    stubs: Mapping[str, list[StubAnswer]], *, with_real: bool, called: set[str]
) -> dict[str, Activity]:
    """Return what is registered during a trial: the stubs, and what has none.

    Args:
        stubs: answers by the name of the activity, which need not be registered; `name:node`
            stands in at that node alone, and goes before `name`.
        with_real: call a registered activity that has no stub; otherwise such a call fails with
            `no_stub`. Code in the sandbox touches nothing, and is run in any case.
        called: gets the names of the stubs that are called.
    """
    named = {
        name: stub_activity(name, _noting(name, answering(answers), called))
        for name, answers in stubs.items()
    }
    bare = {name.partition(":")[0] for name in stubs} | set(activities())
    missing = {
        name: stub_activity(name, _failing(name, set(stubs)), stands_in=False) for name in bare
    }
    real = {
        name: _without_secrets(each) if with_real else each
        for name, each in activities().items()
        if with_real or is_harmless(name)
    }
    return {**missing, **real, **named}


def task_stub(stubs: Mapping[str, list[StubAnswer]], *, with_real: bool, called: set[str]) -> Stub:
    """Return what stands in for Celery tasks during a trial: the same stubs, by the task's name.

    Args:
        stubs: as of `stubbed`.
        with_real: run a registered task that has no stub; otherwise it fails with `no_stub`.
        called: gets the names of the stubs that are called.
    """
    answers = {name: _noting(name, answering(listed), called) for name, listed in stubs.items()}

    def answer(call: TaskCall) -> Any:
        node = Suspension.objects.values_list("node", flat=True).get(pk=call.id)
        found = answers.get(f"{call.name}:{node}") or answers.get(call.name)
        if found is not None:
            return found()
        if with_real:
            raise LookupError(call.name)
        message = f"There is no stub for task {call.name!r}{suggest(call.name, set(stubs))}."
        raise NonRetryableError("no_stub", f"{message} Add one, or allow real activities.")

    return answer


def stub_activity(name: str, function: Callable[..., Any], *, stands_in: bool = True) -> Activity:
    """Return an activity that a function stands in for, with what else is known of it."""
    known = activities().get(name.partition(":")[0])
    is_internal = known is not None and known.is_internal
    return Activity(name, function, is_internal=is_internal, is_stub=stands_in)


def answering(answers: list[StubAnswer]) -> Callable[..., Any]:
    """Return a function of which the n-th call gives the n-th answer; the last repeats."""
    calls = 0

    def answer(**_given: Any) -> Any:
        nonlocal calls
        calls += 1
        return answers[min(calls, len(answers)) - 1].give()

    return answer


def _noting(name: str, answer: Callable[..., Any], called: set[str]) -> Callable[..., Any]:
    def call(**given: Any) -> Any:
        called.add(name)
        return answer(**given)

    return call


def _without_secrets(activity: Activity) -> Activity:
    """Let an activity say that it is a trial in which a secret is missing."""

    @wraps(activity.function)
    def call(**given: Any) -> Any:
        try:
            return activity.function(**given)
        except NonRetryableError as error:
            if error.failure != "secret_unknown":
                raise
            message = f"A trial has no secrets: give answers of {activity.name!r} with --stubs."
            raise NonRetryableError("secret_unknown", message) from None

    return replace(activity, function=call)


def _failing(name: str, known: set[str]) -> Callable[..., Any]:
    def fail(**_given: Any) -> Any:
        message = f"There is no stub for activity {name!r}{suggest(name, known)}."
        raise NonRetryableError("no_stub", f"{message} Add one, or allow real activities.")

    return fail
