"""Scripted activities and tasks on the harness: what they answer, and what they were given."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from workflows.activities import activities, replaced_by
from workflows.dispatch.task_calls import TaskCall, answered_by
from workflows.errors import DefinitionError
from workflows.testing.script import read_stubs
from workflows.testing.stubs import StubAnswer, StubError, answering, stub_activity

#: What a scripted call ends with: made by `returns` or `fails`, or the same as `try` reads it.
Answer = StubAnswer | Mapping[str, Any]


def returns(output: Any = None) -> StubAnswer:
    """Answer a scripted call with this output."""
    return StubAnswer(output=output)


def fails(code: str, message: str = "", *, final: bool = False) -> StubAnswer:
    """Let a scripted call fail with this code; `retry` applies unless it is `final`."""
    return StubAnswer(error=StubError(code=code, message=message, final=final))


@dataclass(slots=True)
class Scripts:
    """The scripts of one harness by the name of the activity or task, and their calls."""

    calls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _answers: dict[str, Callable[..., Any]] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Take all of it back at the end of the block."""
        with self._stack:
            yield

    def add(self, name: str, answers: tuple[Answer | Callable[..., Any], ...]) -> None:
        """Let a function or a list of answers stand in for an activity or a task."""
        if not answers:
            message = f"A script for {name!r} needs at least one answer: returns(...), fails(...)."
            raise ValueError(message)
        if not self._answers:
            self._stack.enter_context(answered_by(self._answer_task, self._answers.keys()))
        function = answers[0]
        self._answers[name] = function if callable(function) else _listed(name, answers)
        self.calls[name] = []
        stub = stub_activity(name, self._called(name))
        self._stack.enter_context(replaced_by({**activities(), name: stub}))

    def _called(self, name: str) -> Callable[..., Any]:
        def call(**given: Any) -> Any:
            self.calls[name].append(given)
            return self._answers[name](**given)

        return call

    def _answer_task(self, call: TaskCall) -> Any:
        if call.name not in self._answers:
            raise LookupError(call.name)  # the task itself is to run
        self.calls[call.name].append({"args": call.args, "kwargs": call.kwargs})
        return self._answers[call.name](*call.args, **call.kwargs)


def _listed(name: str, answers: tuple[Any, ...]) -> Callable[..., Any]:
    plain = [
        answer.model_dump(exclude_unset=True) if isinstance(answer, StubAnswer) else answer
        for answer in answers
    ]
    give = answering(read_stubs({name: plain})[name])
    return lambda *_args, **_given: give()  # a task has arguments without names too


#: Codes of problems that go away when a script stands in.
_WANT_SCRIPT = frozenset({"unknown_activity", "not_allowed"})


def add_notes(error: DefinitionError) -> None:
    """Let a traceback tell every problem, and that a script may mend it."""
    for each in error.problems:
        error.add_note(f"{each.code}: {each.message} (at {each.pointer})")
    if any(each.code in _WANT_SCRIPT for each in error.problems):
        error.add_note("`script` before `publish` lets answers stand in for what cannot be called.")


def known_calls(scripts: Scripts, name: str) -> list[dict[str, Any]]:
    """Return what a scripted activity was given so far. Raises LookupError without a script."""
    if name not in scripts.calls:
        named = ", ".join(sorted(scripts.calls)) or "none"
        message = f"{name!r} has no script here, so its calls are not noted; scripts: {named}."
        raise LookupError(message)
    return scripts.calls[name]
