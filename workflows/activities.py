"""Activities: registered Python code with side effects, called outside any transaction.

    @activity("shop.refund")
    def refund(order: str, amount: int, context: ActivityContext) -> dict[str, str]: ...

The JSON Schemas of input and answer come from the type hints. A parameter annotated with
`ActivityContext` receives it. Modules named `workflow_activities` of installed apps are imported
when the apps are ready.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from inspect import Parameter, getdoc, iscoroutinefunction, signature
from logging import Logger, LoggerAdapter, getLogger
from types import MappingProxyType
from typing import Any, ClassVar, NotRequired, Required, TypeVar, cast, get_args, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core.core_schema import ErrorType
from typing_extensions import TypedDict

from workflows.context.values import MAX_BYTES, check_value
from workflows.errors import ConfigurationError, NodeError, ValueRefusedError, suggest

__all__ = [
    "Activity",
    "ActivityContext",
    "ActivityError",
    "NonRetryableError",
    "activities",
    "activity",
    "call",
    "described",
    "nameable",
    "registered",
    "replaced_by",
]

F = TypeVar("F", bound=Callable[..., Any])

CODE_LENGTH = 100
MESSAGE_LENGTH = 500
_NAME = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*", re.ASCII)
_NO_KEYWORD = (Parameter.POSITIONAL_ONLY, Parameter.VAR_POSITIONAL)
#: Errors whose text is pydantic's own; a validator of the author's may well quote the value.
_KNOWN_ERRORS = frozenset(get_args(ErrorType)) - {"value_error", "assertion_error"}

_logger = getLogger("workflows.activities")


class ActivityError(NodeError):
    """Raise it in an activity to fail with a code of your own, for `retry.on` and `on_error`.

    The message is kept with the run, so put no secrets in it; it is cut after 500 characters.
    """

    code = "activity_error"
    retryable: ClassVar[bool] = True

    def __init__(self, code: str, message: str) -> None:
        kept = _storable(code)[:CODE_LENGTH] or "activity_failed"
        super().__init__(kept, _storable(message)[:MESSAGE_LENGTH])


class NonRetryableError(ActivityError):
    """Raise it in an activity when another attempt cannot help, whatever `retry` says."""

    code = "activity_error_final"
    retryable = False


def _no_heartbeat() -> None:
    """Stand in where nobody listens: in a unit test of an activity."""


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class ActivityContext:
    """Where a call comes from. `idempotency_key` is the same in every attempt of one step."""

    run_id: str
    workflow: str
    node: str
    thread_id: str
    attempt: int  # from 1
    idempotency_key: str
    beat: Callable[[], None] = field(default=_no_heartbeat, repr=False, compare=False)
    holds: Callable[[], bool] = field(default=_always, repr=False, compare=False)

    @property
    def logger(self) -> LoggerAdapter[Logger]:
        """Return a logger whose records carry the run, the node and the attempt."""
        where = {"run": self.run_id, "node": self.node, "attempt": self.attempt}
        return LoggerAdapter(_logger, {"workflow": self.workflow, **where})

    def heartbeat(self) -> None:
        """Say that the work goes on; cheap, so say it as often as you like."""
        self.beat()

    def is_wanted(self) -> bool:
        """Ask the database whether the answer will be taken: False once the run was cancelled."""
        return self.holds()


@dataclass(frozen=True, eq=False)
class Activity:
    """A registered function. Its hints are read when they are first needed.

    `transactional`: its database writes and the thread's step commit together.
    `heartbeat`: longest silence before the attempt counts as dead.
    `is_internal`: works for a kind of node of its own; a node of kind `activity` cannot name it.
    `is_stub`: answers from a script, in a trial.
    `grace`: tells at each call what it has beyond its time limit, which it keeps itself.
    """

    name: str
    function: Callable[..., Any]
    transactional: bool = False
    heartbeat: timedelta | None = None
    doc: str = ""
    is_internal: bool = False
    is_stub: bool = False
    grace: Callable[[], timedelta] = timedelta  # none

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the object that the activity takes."""
        with _reading_hints(self.name):
            return self.input_adapter.json_schema()

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the answer."""
        with _reading_hints(self.name):
            return self.output_adapter.json_schema(mode="serialization")

    @cached_property
    def input_adapter(self) -> TypeAdapter[dict[str, Any]]:
        """Return what validates the input: defaults stay the function's own."""
        fields = {
            name: Required[hint] if parameter.default is Parameter.empty else NotRequired[hint]
            for name, (parameter, hint) in self.inputs.items()
        }
        # A dict, not a model: its keys can have any name, and are passed on as they are.
        shape = cast("Any", TypedDict)(f"{self.name} input", fields)
        extra = any(p.kind is Parameter.VAR_KEYWORD for p in self._parameters.values())
        shape.__pydantic_config__ = ConfigDict(extra="allow" if extra else "forbid")
        with _reading_hints(self.name):
            return TypeAdapter(shape)

    @cached_property
    def output_adapter(self) -> TypeAdapter[Any]:
        """Return what turns the answer into JSON."""
        hint = self._hints.get("return", Any)
        with _reading_hints(self.name):
            try:
                # Else NaN would silently become null.
                return TypeAdapter(hint, config=ConfigDict(ser_json_inf_nan="constants"))
            except PydanticUserError as error:
                if error.code != "type-adapter-config-unused":
                    raise
                return TypeAdapter(hint)

    @cached_property
    def context_parameters(self) -> tuple[str, ...]:
        """Return the parameters that receive the ActivityContext."""
        hints = self._hints
        return tuple(name for name in self._parameters if hints.get(name) is ActivityContext)

    @cached_property
    def takes_nothing(self) -> bool:
        """Tell whether only an empty input fits."""
        return not self.inputs and len(self._parameters) == len(self.context_parameters)

    @cached_property
    def inputs(self) -> dict[str, tuple[Parameter, Any]]:
        """Return the named parameters that come from the input, each with its hint."""
        return {
            name: (parameter, self._hints.get(name, Any))
            for name, parameter in self._parameters.items()
            if name not in self.context_parameters and parameter.kind is not Parameter.VAR_KEYWORD
        }

    @cached_property
    def _parameters(self) -> Mapping[str, Parameter]:
        return signature(self.function).parameters

    @cached_property
    def _hints(self) -> dict[str, Any]:
        with _reading_hints(self.name):
            return get_type_hints(self.function, include_extras=True)


@contextmanager
def _reading_hints(name: str) -> Iterator[None]:
    try:
        yield
    except (NameError, TypeError, PydanticUserError) as error:
        reason = str(error).partition("\n")[0]
        message = f"The type hints of activity {name!r} cannot be used: {reason}"
        raise ConfigurationError(message) from error


_registry: dict[str, Activity] = {}


def activity(
    name: str,
    *,
    transactional: bool = False,
    heartbeat: timedelta | None = None,
    internal: bool = False,
    grace: Callable[[], timedelta] = timedelta,
) -> Callable[[F], F]:
    """Register a function as an activity; it stays callable as before.

    Args:
        name: What definitions call it: identifiers joined by dots, such as `shop.refund`.
        transactional: Its database writes and the thread's step commit together.
        heartbeat: Longest time without `ActivityContext.heartbeat` before it counts as dead.
        internal: Only a kind of node may ask for it, by this name; authors cannot.
        grace: Tells what it has to clear up, beyond its time limit, which it keeps itself.

    Raises:
        ConfigurationError: The name is taken or is no name, or the function cannot be called
            with keywords or is a coroutine.
    """

    def register(function: F) -> F:
        _refuse_misfit(name, function)
        doc = getdoc(function) or ""
        _registry[name] = Activity(
            name,
            function,
            transactional=transactional,
            heartbeat=heartbeat,
            doc=doc,
            is_internal=internal,
            grace=grace,
        )
        return function

    return register


def _refuse_misfit(name: str, function: Callable[..., Any]) -> None:
    where = f"The activity {name!r} ({function.__module__}.{function.__qualname__})"
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"{where} needs a name of identifiers joined by dots.")
    if name in _registry:
        first = _registry[name].function
        place = f"{first.__module__}.{first.__qualname__}"
        raise ConfigurationError(f"{where} has the name of {place}: names are unique.")
    if iscoroutinefunction(function):
        raise ConfigurationError(f"{where} is a coroutine: write `def`, not `async def`.")
    for parameter in signature(function).parameters.values():
        if parameter.kind in _NO_KEYWORD:
            message = f"{where} takes {parameter.name!r} by position: input comes as keywords."
            raise ConfigurationError(message)


def activities() -> Mapping[str, Activity]:
    """Return every registered activity by name."""
    return MappingProxyType(_registry)


def nameable() -> frozenset[str]:
    """Return the names that a node of kind `activity` can have."""
    return frozenset(name for name, each in _registry.items() if not each.is_internal)


@contextmanager
def replaced_by(others: Mapping[str, Activity]) -> Iterator[None]:
    """Let `others` stand in for every registered activity inside the block, in this process."""
    before = dict(_registry)
    _registry.clear()
    _registry.update(others)
    try:
        yield
    finally:
        _registry.clear()
        _registry.update(before)


def registered(name: str) -> Activity:
    """Return one activity. Raises ActivityError `activity_unknown` with the nearest name."""
    if name in _registry:
        return _registry[name]
    known = suggest(name, set(_registry))
    raise ActivityError("activity_unknown", f"No activity {name!r} is registered here{known}.")


def call(activity: Activity, given: object, *, context: ActivityContext) -> Any:
    """Call an activity and return its answer as plain JSON.

    Args:
        activity: What to call.
        given: The input: an object with the function's parameters.
        context: Goes to the parameters that are annotated with it.

    Raises:
        ActivityError: `failure` is the code: `activity_input` and `activity_output` (what does
            not fit; never the value), the code that the function raised, or `activity_failed`
            with the other exception as its cause. `retryable` tells if another attempt makes sense.
    """
    keywords = _checked_input(activity, given)
    for name in activity.context_parameters:
        keywords[name] = context
    try:
        answer = activity.function(**keywords)
    except ActivityError as error:
        _make_whole(error)
        raise
    except Exception as error:
        raise ActivityError("activity_failed", described(error)) from error
    return _plain_answer(activity, answer)


def _checked_input(activity: Activity, given: object) -> dict[str, Any]:
    if not given and isinstance(given, dict) and activity.takes_nothing:
        return {}
    try:
        return activity.input_adapter.validate_python(_copied(given))
    except ValidationError as error:
        reasons = "; ".join(_input_reasons(activity, error))
    message = f"The input of activity {activity.name!r} does not fit: {reasons}."
    raise NonRetryableError("activity_input", message)


def _copied(value: Any) -> Any:
    """Copy what the function could change: contexts and plans are shared between threads."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _input_reasons(activity: Activity, error: ValidationError) -> list[str]:
    """Say what does not fit, parameter by parameter; values and the keys in them stay out."""
    reasons = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        text = problem["msg"]
        if not name:
            reasons.append("it must be an object")
        elif name not in activity.inputs:
            known = suggest(name, set(activity.inputs))
            reasons.append(f"there is no parameter {name!r}{known}")
        elif problem["type"] in _KNOWN_ERRORS:
            reasons.append(f"{name}: {text[:1].lower()}{text[1:]}")
        else:
            reasons.append(f"{name}: refused by its validator")
    return list(dict.fromkeys(reasons))


def _plain_answer(activity: Activity, answer: Any) -> Any:
    adapter = activity.output_adapter
    try:
        plain = adapter.dump_python(answer, mode="json", warnings="error")
        check_value(plain, max_bytes=MAX_BYTES)
    except ValueRefusedError as error:
        reason = error.message
    except Exception:  # noqa: BLE001 - serialisers and generators are the author's code
        # The error's own text quotes the value.
        reason = f"{type(answer).__name__} does not become JSON of the declared type"
    else:
        return plain
    message = f"The answer of activity {activity.name!r} is refused: {reason}."
    raise NonRetryableError("activity_output", message)


def described(error: BaseException) -> str:
    """Return the class of an error and its text, whatever its own methods do."""
    # Not `__name__` of the class: a metaclass may make anything of it.
    name = str(type.__dict__["__name__"].__get__(type(error)))
    try:
        told = ": ".join(filter(None, (name, str(error))))
    except KeyboardInterrupt:
        raise  # a time limit, or somebody stops this process
    except BaseException:  # noqa: BLE001 - a broken __str__ must not hide which error it was
        return name
    return told


def _make_whole(error: ActivityError) -> None:
    """Give an error what it lacks: a class of the author's may skip our `__init__`, or undo it."""
    code, text = getattr(error, "failure", None), getattr(error, "message", None)
    kept = code if isinstance(code, str) else "activity_failed"
    ActivityError.__init__(error, kept, text if isinstance(text, str) else described(error))


def _storable(text: str) -> str:
    """Return text that every database keeps: no NUL characters, no lone surrogates."""
    return str(text).replace("\0", "").encode(errors="replace").decode()
