"""What a function of the language is, and the decorator that makes one of a Python function.

The annotations of the Python function are the types that are accepted; they are checked, and the
size of the arguments is paid for, before it is called.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import NoneType
from typing import Any, Final, TypeVar, Union, get_args, get_origin

from workflows.expressions.faults import FaultError
from workflows.expressions.kinds import kind
from workflows.expressions.limits import Budget, check_item_count, check_text_size, weigh

F = TypeVar("F", bound=Callable[..., Any])
#: An argument that is not evaluated yet.
Thunk = Callable[[], Any]

_ACCEPTED: Final[dict[Any, frozenset[str]]] = {
    str: frozenset({"string"}),
    int: frozenset({"int", "uint"}),
    float: frozenset({"int", "uint", "double"}),
    bool: frozenset({"bool"}),
    bytes: frozenset({"bytes"}),
    list: frozenset({"list"}),
    dict: frozenset({"map"}),
    datetime: frozenset({"timestamp"}),
    timedelta: frozenset({"duration"}),
    NoneType: frozenset({"null"}),
}
_LABELS: Final = {
    float: "number",
    str: "string",
    dict: "map",
    datetime: "timestamp",
    timedelta: "duration",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: its name, the types it takes (empty: any), how it is shown."""

    name: str
    accepts: frozenset[str]
    label: str
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language. `lower(x)` and `x.lower()` are the same call.

    `examples` are pairs of an expression and its result; tests evaluate them, and the reference
    page prints them.
    """

    name: str
    signature: str
    doc: str
    examples: tuple[tuple[str, Any], ...]
    parameters: tuple[Parameter, ...]
    is_variadic: bool
    is_lazy: bool
    takes_budget: bool
    body: Callable[..., Any]

    @property
    def at_least(self) -> int:
        """The number of arguments that must be given."""
        return sum(not parameter.is_optional for parameter in self.parameters)

    @property
    def at_most(self) -> int | None:
        """The number of arguments that may be given, None for any."""
        return None if self.is_variadic else len(self.parameters)

    def call(self, budget: Budget, arguments: list[Any]) -> Any:
        """Check and pay for the arguments, then return the function's value.

        Raises:
            FaultError: An argument has the wrong type, or the function cannot do it.
            LimitError: Too much data.
        """
        if self.is_lazy:
            return self.body(*arguments)
        budget.spend(1 + sum(map(weigh, arguments)))
        for parameter, argument in zip(self.parameters, arguments, strict=False):
            if parameter.accepts and kind(argument) not in parameter.accepts:
                raise FaultError(
                    f"{self.name} takes a {parameter.label} as {parameter.name}, "
                    f"not {kind(argument)}"
                )
        result = self.body(budget, *arguments) if self.takes_budget else self.body(*arguments)
        return _paid(budget, result)


def _paid(budget: Budget, result: Any) -> Any:
    if isinstance(result, str | bytes):
        check_text_size(len(result))
    elif isinstance(result, list | dict):
        check_item_count(len(result))
    budget.spend(weigh(result))
    return result


class Registry:
    """The functions of one theme, in the order in which the reference lists them."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}

    def add(
        self, examples: Mapping[str, Any], *, name: str | None = None, is_lazy: bool = False
    ) -> Callable[[F], F]:
        """Make a function of the decorated Python function, under its name or `name`."""

        def register(body: F) -> F:
            made = _describe(body, name or body.__name__, examples, is_lazy=is_lazy)
            self.functions[made.name] = made
            return body

        return register


def _describe(
    body: Callable[..., Any], name: str, examples: Mapping[str, Any], *, is_lazy: bool
) -> Function:
    signature = inspect.signature(body)
    shown = [each for each in signature.parameters.values() if each.annotation is not Budget]
    parameters = tuple(_parameter(each) for each in shown if each.kind is not each.VAR_POSITIONAL)
    arguments = [f"{each.name}: {each.label}{'?' * each.is_optional}" for each in parameters]
    is_variadic = len(parameters) < len(shown)
    if is_variadic:
        arguments.append("...")
    returns = _label(signature.return_annotation)
    return Function(
        name=name,
        signature=f"{name}({', '.join(arguments)}) -> {returns}",
        doc=inspect.getdoc(body) or "",
        examples=tuple(examples.items()),
        parameters=parameters,
        is_variadic=is_variadic,
        is_lazy=is_lazy,
        takes_budget=len(shown) < len(signature.parameters),
        body=body,
    )


def _parameter(parameter: inspect.Parameter) -> Parameter:
    annotation = parameter.annotation
    return Parameter(
        name=parameter.name.removesuffix("_"),
        accepts=_accepts(annotation),
        label=_label(annotation),
        is_optional=parameter.default is not parameter.empty,
    )


def _members(annotation: Any) -> tuple[Any, ...]:
    origin = get_origin(annotation)
    if origin is Union or type(annotation).__name__ == "UnionType":
        return get_args(annotation)
    return (origin or annotation,)


def _accepts(annotation: Any) -> frozenset[str]:
    if annotation in {Any, Thunk}:
        return frozenset()
    members = [_ACCEPTED[get_origin(each) or each] for each in _members(annotation)]
    return frozenset().union(*members)


def _label(annotation: Any) -> str:
    if annotation in {Any, Thunk}:
        return "any"
    names = [get_origin(each) or each for each in _members(annotation)]
    return " | ".join(_LABELS.get(each, each.__name__) for each in names if each is not NoneType)
