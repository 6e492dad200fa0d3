"""Tree to closures: compiled once, then evaluated over the scope without any copy of the data.

Each node becomes a function of the environment. Only loops and work on data cost budget: without
them the time is bounded by the length of the source.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from workflows.absent import ABSENT
from workflows.errors import suggest
from workflows.expressions import operators
from workflows.expressions.faults import AbsentError, FaultError
from workflows.expressions.functions import FUNCTIONS
from workflows.expressions.kinds import TYPE_NAMES, kind
from workflows.expressions.limits import Budget, check_item_count
from workflows.expressions.macros import MACRO_BODIES
from workflows.expressions.syntax import (
    MACROS,
    Binary,
    Call,
    Choice,
    ListOf,
    Literal,
    Macro,
    MapOf,
    Name,
    Node,
    Select,
    Unary,
    path_text,
)


@dataclass(slots=True)
class Environment:
    """What one evaluation works on: the names, the macros' variables, and what it may spend."""

    scope: Mapping[str, Any]
    slots: list[Any]
    budget: Budget


Run = Callable[[Environment], Any]


@dataclass(slots=True)
class Compiler:
    """Compiles one expression, and collects what it uses."""

    names: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    members: set[tuple[str, str]] = field(default_factory=set)
    slots: int = 0
    nodes: int = 0
    _variables: dict[str, int] = field(default_factory=dict)

    def compile(self, node: Node) -> Run:  # noqa: C901, PLR0911, PLR0912 - one arm a kind of node
        """Return the closure of a node. Raises FaultError for an unknown function."""
        self.nodes += 1
        match node:
            case Literal(value=value):
                return lambda _env: value
            case Name():
                return self._name(node)
            case Select():
                return self._member(node)
            case Unary():
                return _unary(self.compile(node.operand), node)
            case Binary(sign="&&" | "||"):
                return _logic(self.compile(node.left), self.compile(node.right), node)
            case Binary():
                return _binary(self.compile(node.left), self.compile(node.right), node)
            case Choice():
                return self._choice(node)
            case Call():
                return self._call(node)
            case Macro():
                return self._macro(node)
            case ListOf():
                return self._list(node)
            case MapOf():
                return self._map(node)

    def _name(self, node: Name) -> Run:
        name, at = node.name, node.at
        if name in self._variables:
            slot = self._variables[name]
            return lambda env: env.slots[slot]
        type_name = TYPE_NAMES.get(name)
        if type_name is not None:
            # A context key of that name wins.
            return lambda env: env.scope.get(name, type_name)
        self.names.add(name)

        def run(env: Environment) -> Any:
            value = env.scope.get(name, ABSENT)
            if value is ABSENT:
                # No suggestion: the names that are known here are keys of the data.
                raise AbsentError(f"the name {name!r} is unknown", at)
            return value

        return run

    def _member(self, node: Select) -> Run:
        target = node.target
        if isinstance(target, Name) and target.name not in self._variables:
            self.members.add((target.name, node.name))
        return _select(self.compile(target), node)

    def _choice(self, node: Choice) -> Run:
        condition, yes, no = map(self.compile, (node.condition, node.yes, node.no))
        at = node.at

        def run(env: Environment) -> Any:
            decided = condition(env)
            if decided is True:
                return yes(env)
            if decided is False:
                return no(env)
            raise FaultError(f"'?' needs a boolean before it, not {kind(decided)}", at)

        return run

    def _call(self, node: Call) -> Run:
        function = FUNCTIONS.get(node.name)
        if function is None:
            if node.name in MACROS:
                raise FaultError(f"{node.name} is written list.{node.name}(item, ...)", node.at)
            known = suggest(node.name, FUNCTIONS.keys() | MACROS)
            raise FaultError(f"the function {node.name!r} is unknown{known}", node.at)
        most, count = function.at_most, len(node.arguments)
        if count < function.at_least or (most is not None and count > most):
            raise FaultError(f"the call does not fit {function.signature}", node.at)
        self.functions.add(node.name)
        arguments = [self.compile(argument) for argument in node.arguments]
        at, is_lazy, call = node.at, function.is_lazy, function.call

        def run(env: Environment) -> Any:
            if is_lazy:
                values: list[Any] = [partial(argument, env) for argument in arguments]
            else:
                values = [argument(env) for argument in arguments]
            return _located(at, call, env.budget, values)

        return run

    def _macro(self, node: Macro) -> Run:
        target = self.compile(node.target)
        self.functions.add(node.name)
        slot, self.slots = self.slots, self.slots + 1
        hidden, before = self._variables, self.nodes
        self._variables = {**hidden, node.variable: slot}
        parts = [self.compile(part) for part in node.parts]
        self._variables = hidden
        # Each round pays for every node of the body, whether it is reached or not.
        cost, body, at = self.nodes - before + 2, MACRO_BODIES[node.name], node.at
        name = node.name

        def run(env: Environment) -> Any:
            items = target(env)
            if not isinstance(items, list | dict):
                raise FaultError(f"{name} needs a list or a map, not {kind(items)}", at)
            slots, spend = env.slots, env.budget.spend

            def bind(run_part: Run, item: Any) -> Any:
                spend(cost)
                slots[slot] = item
                return run_part(env)

            return _located(at, body, items, *[partial(bind, part) for part in parts])

        return run

    def _list(self, node: ListOf) -> Run:
        items = [self.compile(item) for item in node.items]
        return lambda env: [item(env) for item in items]

    def _map(self, node: MapOf) -> Run:
        entries = [(self.compile(key), self.compile(value)) for key, value in node.entries]
        at = node.at

        def run(env: Environment) -> dict[Any, Any]:
            made: dict[Any, Any] = {}
            for key_of, value_of in entries:
                key = key_of(env)
                if kind(key) not in {"string", "int", "uint", "bool"}:
                    raise FaultError(f"a map key must not be of type {kind(key)}", at)
                if key in made:
                    raise FaultError("a key stands twice in the map", at)
                made[key] = value_of(env)
            check_item_count(len(made))
            return made

        return run


def _located(at: int, action: Callable[..., Any], *arguments: Any) -> Any:
    """Call `action`; a fault that does not know its place gets this one."""
    try:
        return action(*arguments)
    except FaultError as fault:
        if fault.at is None:
            fault.at = at
        raise


def _select(target: Run, node: Select) -> Run:
    name, at = node.name, node.at
    shown = path_text(node)

    def run(env: Environment) -> Any:
        holder = target(env)
        if type(holder) is dict:
            value = holder.get(name, ABSENT)
            if value is not ABSENT:
                return value
        try:
            return operators.select(holder, name)
        except FaultError as fault:
            where = f" ({shown})" if shown else ""
            raise AbsentError(f"{fault.message}{where}; use default() or has()", at) from None

    return run


def _unary(operand: Run, node: Unary) -> Run:
    apply = operators.invert if node.sign == "!" else operators.negate
    at = node.at
    return lambda env: _located(at, apply, operand(env))


def _binary(left: Run, right: Run, node: Binary) -> Run:
    apply, at = operators.BINARY[node.sign], node.at

    def run(env: Environment) -> Any:
        one, other = left(env), right(env)
        try:
            return apply(env.budget, one, other)
        except FaultError as fault:
            if fault.at is None:
                fault.at = at
            raise

    return run


def _logic(left: Run, right: Run, node: Binary) -> Run:
    """Compile `&&` or `||`: a fault on one side does not matter when the other side decides."""
    decisive, sign, at = node.sign == "||", node.sign, node.at

    def boolean(run_side: Run, env: Environment) -> bool:
        value = run_side(env)
        if value is True or value is False:
            return bool(value)
        raise FaultError(f"{sign!r} takes booleans, not {kind(value)}", at)

    def run(env: Environment) -> bool:
        try:
            one = boolean(left, env)
        except FaultError:
            if boolean(right, env) is decisive:
                return decisive
            raise
        return decisive if one is decisive else boolean(right, env)

    return run
