"""Expressions from source to JSON: compiled once, cached by source, evaluated within a budget."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from workflows.absent import ABSENT, Absent
from workflows.errors import ExpressionError, ExpressionLimitError
from workflows.expressions.cache import Cache
from workflows.expressions.compile import Compiler, Environment, Run
from workflows.expressions.faults import AbsentError, FaultError
from workflows.expressions.kinds import kind, to_json
from workflows.expressions.limits import (
    EVALUATION_UNITS,
    MAX_KEPT,
    MAX_SOURCE,
    TEXT_UNIT,
    Budget,
    LimitError,
)
from workflows.expressions.parse import parse
from workflows.expressions.syntax import Call, path_text

T = TypeVar("T")

_SHOWN = 120


@dataclass(frozen=True, slots=True)
class ExpressionInfo:
    """What an expression uses: free root names, functions and macros, and members of the names."""

    names: frozenset[str]
    functions: frozenset[str]
    members: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled expression; shared by all threads, it holds no state of an evaluation."""

    source: str
    info: ExpressionInfo
    is_path: bool
    weight: int
    _run: Run
    _slots: int

    def json(self, scope: Mapping[str, Any], budget: Budget) -> Any:
        """Return the value as JSON. Raises ExpressionError."""
        return self.use(scope, budget, self._export)

    def json_or_absent(self, scope: Mapping[str, Any], budget: Budget) -> Any | Absent:
        """Return the value as JSON; ABSENT if this is a plain path of something that is absent."""
        if not self.is_path:
            return self.json(scope, budget)
        return self._guard(lambda: self._read(scope, budget))

    def use(
        self, scope: Mapping[str, Any], budget: Budget, action: Callable[[Any, Budget], T]
    ) -> T:
        """Return what `action` makes of the value. Raises ExpressionError for both."""
        return self._guard(lambda: action(self._run(self._environment(scope, budget)), budget))

    def _read(self, scope: Mapping[str, Any], budget: Budget) -> Any | Absent:
        try:
            return self._export(self._run(self._environment(scope, budget)), budget)
        except AbsentError:
            return ABSENT

    def _export(self, value: Any, budget: Budget) -> Any:
        # Lists and objects that a path leads to stand in the scope: they are JSON already.
        is_from_scope = self.is_path and isinstance(value, list | dict)
        return value if is_from_scope else to_json(value, budget)

    def _environment(self, scope: Mapping[str, Any], budget: Budget) -> Environment:
        # Nodes outside of loops cost nothing by themselves, but many evaluations may share this.
        budget.spend(self.weight)
        return Environment(scope, [None] * self._slots, budget)

    def _guard(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except (FaultError, LimitError) as error:
            raise as_expression_error(error, self.source) from None
        except (RecursionError, MemoryError):
            raise as_expression_error(LimitError("it needs too much"), self.source) from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            # What Python says about values would show them; the author gets the place only.
            fault = FaultError("a value does not fit its use")
            raise as_expression_error(fault, self.source) from None


#: Of this process.
PROGRAMS: Final = Cache[Program](MAX_KEPT)


def evaluate(source: str, scope: Mapping[str, Any], budget: Budget | None = None) -> Any:
    """Return the JSON value of a CEL expression.

    Args:
        source: The expression, at most 4096 characters.
        scope: The names in it: JSON values, and `now`, an aware datetime. Never changed; the
            result may share parts with it.
        budget: What it may spend together with others; one of its own if left out.

    Returns:
        Plain JSON. Timestamps are RFC 3339 text, durations ISO 8601 text, bytes base64 text.

    Raises:
        ExpressionError: It does not parse, names something unknown, or failed.
        ExpressionLimitError: It is too long, too deep, too slow, or its result too large.
    """
    compiled = program(source, budget)
    return compiled.json(scope, budget or Budget())


def evaluate_condition(source: str, scope: Mapping[str, Any], budget: Budget | None = None) -> bool:
    """Return the value of a condition; anything but true or false is an ExpressionError."""
    compiled = program(source, budget)
    return compiled.use(scope, budget or Budget(), _boolean)


def check_budget(budget: Budget) -> None:
    """Raise ExpressionLimitError when a budget is used up, or its time is."""
    try:
        budget.look()
    except LimitError as error:
        raise ExpressionLimitError(f"{error.message}.", line=None, column=None) from None


def check(source: str) -> ExpressionInfo:
    """Return what an expression uses, without evaluating it.

    Raises:
        ExpressionError: It does not parse, or calls an unknown function; with line and column.
        ExpressionLimitError: It is too long or too deep.
    """
    return program(source).info


def outer_function(source: str) -> str | None:
    """Return the function that an expression as a whole is a call of, if it is one.

    Raises:
        ExpressionError: It does not parse.
    """
    program(source)  # refuses what does not parse in the words of an ExpressionError
    tree = parse(source)
    return tree.name if isinstance(tree, Call) else None


def program(source: str, budget: Budget | None = None) -> Program:
    """Return the compiled expression; the time of a `budget` stands still while it is made.

    It was compiled when the definition was read, and has to be again only when it was not used for
    long: that must not fail a node which is sound.
    """
    found = PROGRAMS.find(source)
    if found is not None:
        return found
    if budget is None:
        return PROGRAMS.keep(source, _compile(source))
    with budget.paused():
        return PROGRAMS.keep(source, _compile(source))


def _compile(source: str) -> Program:
    compiler = Compiler()
    try:
        tree = parse(source)
        run = compiler.compile(tree)
    except (FaultError, LimitError) as error:
        raise as_expression_error(error, source) from None
    except (RecursionError, MemoryError):
        raise as_expression_error(LimitError("it is nested too deep"), source) from None
    info = ExpressionInfo(
        frozenset(compiler.names), frozenset(compiler.functions), frozenset(compiler.members)
    )
    weight = EVALUATION_UNITS + compiler.nodes + len(source) // TEXT_UNIT
    return Program(source, info, path_text(tree) is not None, weight, run, compiler.slots)


def _boolean(value: Any, _budget: Budget) -> bool:
    if value is True or value is False:
        return bool(value)
    raise FaultError(f"a condition must be true or false, and this is of type {kind(value)}", 0)


def as_expression_error(error: FaultError | LimitError, source: str) -> ExpressionError:
    """Return the error that callers see: reason, expression, line and column; never data."""
    shown = source if len(source) <= _SHOWN else f"{source[:_SHOWN]}..."
    if isinstance(error, LimitError):
        message = f"the expression {shown!r} was stopped: {error.message}"
        return ExpressionLimitError(message, line=1, column=1, expression=shown)
    at = min(error.at or 0, len(source), MAX_SOURCE)
    line = source.count("\n", 0, at) + 1
    column = at - source.rfind("\n", 0, at)
    message = f"{error.message}; in {shown!r}, line {line}, column {column}"
    return ExpressionError(message, line=line, column=column, expression=shown)
