"""What the operators of expressions do, over plain values.

Where the CEL specification and everyday JSON disagree, JSON wins: `10` and `10.0` are the same
number, so `+ - * /` take an int and a double together and give a double.
"""

import operator
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from workflows.absent import ABSENT
from workflows.expressions.faults import AbsentError, FaultError
from workflows.expressions.kinds import NUMBERS, UINT_MAX, UInt, check_int, kind
from workflows.expressions.limits import (
    TEXT_UNIT,
    VALUE_UNITS,
    Budget,
    check_item_count,
    check_text_size,
)

Binary = Callable[[Budget, Any, Any], Any]
_Pairs = dict[tuple[str, str], Binary]


def equal(budget: Budget, one: Any, other: Any) -> bool:
    """Tell whether two values are equal; different types are not, but all numbers are one type."""
    a, b = kind(one), kind(other)
    if a != b:
        return a in NUMBERS and b in NUMBERS and bool(one == other)
    if a == "list":
        budget.spend(VALUE_UNITS * len(one) + 1)
        return len(one) == len(other) and all(
            equal(budget, x, y) for x, y in zip(one, other, strict=True)
        )
    if a == "map":
        budget.spend(VALUE_UNITS * len(one) + 1)
        return len(one) == len(other) and all(
            (there := look_up(other, key)) is not ABSENT and equal(budget, value, there)
            for key, value in one.items()
        )
    if a == "string":
        budget.spend(len(one) // TEXT_UNIT)
    return bool(one == other)


def not_equal(budget: Budget, one: Any, other: Any) -> bool:
    """Tell whether two values differ."""
    return not equal(budget, one, other)


def contains(budget: Budget, item: Any, container: Any) -> bool:
    """Tell whether `item` is in a list, or is a key of a map: the operator `in`."""
    if isinstance(container, list):
        budget.spend(VALUE_UNITS * len(container))
        return any(equal(budget, item, each) for each in container)
    if isinstance(container, dict):
        return look_up(container, item) is not ABSENT
    hint = "; use contains(text, part)" if isinstance(container, str) else ""
    raise FaultError(f"'in' needs a list or a map on its right, not {kind(container)}{hint}")


def look_up(entries: dict[Any, Any], key: Any) -> Any:
    """Return the value under `key`, or ABSENT. For Python 1 and True are one key, here not."""
    if isinstance(key, str):
        return entries.get(key, ABSENT)
    if isinstance(key, list | dict) or key not in entries:
        return ABSENT
    wants_bool = isinstance(key, bool)
    return next(
        (
            value
            for had, value in entries.items()
            if had == key and isinstance(had, bool) is wants_bool
        ),
        ABSENT,
    )


def select(target: Any, name: str) -> Any:
    """Return the member `name` of a map."""
    if isinstance(target, dict):
        value = target.get(name, ABSENT)
        if value is not ABSENT:
            return value
        raise AbsentError(f"there is no {name!r}")
    raise AbsentError(f"there is no {name!r} in a value of type {kind(target)}")


def index(_budget: Budget, target: Any, key: Any) -> Any:
    """Return the element of a list, or the value under a key of a map."""
    if isinstance(target, list):
        return _element(target, key)
    if isinstance(target, dict):
        value = look_up(target, key)
        if value is ABSENT:
            raise AbsentError("the map has no such key")
        return value
    if target is None:
        raise AbsentError("null has no elements")
    hint = "; use substring(text, start, end)" if isinstance(target, str) else ""
    raise FaultError(f"[] needs a list or a map on its left, not {kind(target)}{hint}")


def negate(value: Any) -> Any:
    """Return `-value`."""
    name = kind(value)
    if name == "int":
        return check_int(-value)
    if name in {"double", "duration"}:
        return -value
    raise FaultError(f"'-' does not take {name}")


def invert(value: Any) -> bool:
    """Return `!value`."""
    if isinstance(value, bool):
        return not value
    raise FaultError(f"'!' takes a boolean, not {kind(value)}")


def _element(items: list[Any], key: Any) -> Any:
    if isinstance(key, float) and key.is_integer():
        key = int(key)
    if isinstance(key, bool) or not isinstance(key, int):
        raise FaultError(f"a list index is an integer, not {kind(key)}")
    if key < 0:
        raise FaultError("a list index must not be negative; use last(list)")
    if key >= len(items):
        raise AbsentError("the list is shorter than that")
    return items[key]


def _table(sign: str, pairs: _Pairs) -> Binary:
    def apply(budget: Budget, one: Any, other: Any) -> Any:
        a, b = kind(one), kind(other)
        found = pairs.get((a, b))
        if found is None:
            raise FaultError(f"{sign!r} does not take {a} and {b}")
        try:
            return found(budget, one, other)
        except ZeroDivisionError:
            raise FaultError("division by zero") from None
        except OverflowError:
            raise FaultError(f"the result of {sign!r} is out of range") from None

    return apply


def _plainly(operation: Callable[[Any, Any], Any]) -> Binary:
    return lambda _budget, one, other: operation(one, other)


def _check_uint(value: int) -> UInt:
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise FaultError("the unsigned integer does not fit in 64 bit")


def _numbers(on_ints: Callable[[int, int], int], on_floats: Callable[[Any, Any], Any]) -> _Pairs:
    """Return the rows of a table for all pairs of numbers; a double makes it a double."""
    rows: _Pairs = {}
    for a in NUMBERS:
        for b in NUMBERS:
            rows[a, b] = lambda _budget, one, other: float(on_floats(float(one), float(other)))
    for pair in (("int", "int"), ("int", "uint"), ("uint", "int")):
        rows[pair] = lambda _budget, one, other: check_int(on_ints(int(one), int(other)))
    rows["uint", "uint"] = lambda _budget, one, other: _check_uint(on_ints(int(one), int(other)))
    return rows


def _divide(one: int, other: int) -> int:
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) == (other < 0) else -quotient


def _remainder(one: int, other: int) -> int:
    rest = abs(one) % abs(other)
    return -rest if one < 0 else rest


def _divide_floats(one: float, other: float) -> float:
    if other != 0:
        return one / other
    # As in IEEE 754; it may be compared, but not leave the expression.
    return float("nan") if one == 0 or one != one else one * float("inf")  # noqa: PLR0124 - NaN


def _join(budget: Budget, one: Any, other: Any) -> Any:
    size = len(one) + len(other)
    check_text_size(size)
    budget.spend(size // TEXT_UNIT)
    return one + other


def _concatenate(budget: Budget, one: list[Any], other: list[Any]) -> list[Any]:
    size = len(one) + len(other)
    check_item_count(size)
    budget.spend(size)
    return one + other


_TIMES: Final[_Pairs] = {
    ("timestamp", "duration"): _plainly(operator.add),
    ("duration", "timestamp"): _plainly(lambda span, moment: moment + span),
    ("duration", "duration"): _plainly(operator.add),
}
_LATER: Final[_Pairs] = {
    ("timestamp", "timestamp"): _plainly(operator.sub),
    ("timestamp", "duration"): _plainly(operator.sub),
    ("duration", "duration"): _plainly(operator.sub),
}


def _scaled(one: Any, other: Any) -> timedelta:
    span: timedelta = one * other
    return span


add: Final = _table(
    "+",
    {
        **_numbers(operator.add, operator.add),
        **_TIMES,
        ("string", "string"): _join,
        ("bytes", "bytes"): _join,
        ("list", "list"): _concatenate,
    },
)
subtract: Final = _table("-", {**_numbers(operator.sub, operator.sub), **_LATER})
multiply: Final = _table(
    "*",
    {
        **_numbers(operator.mul, operator.mul),
        ("duration", "int"): _plainly(_scaled),
        ("int", "duration"): _plainly(_scaled),
    },
)
divide: Final = _table("/", _numbers(_divide, _divide_floats))
modulo: Final = _table(
    "%",
    {pair: row for pair, row in _numbers(_remainder, operator.mod).items() if "double" not in pair},
)


def _comparison(sign: str, compare: Callable[[Any, Any], Any]) -> Binary:
    row: Binary = lambda _budget, one, other: bool(compare(one, other))  # noqa: E731
    rows: _Pairs = {(a, b): row for a in NUMBERS for b in NUMBERS}
    rows |= {(a, a): row for a in ("bool", "bytes", "timestamp", "duration")}

    def texts(budget: Budget, one: str, other: str) -> bool:
        budget.spend(min(len(one), len(other)) // TEXT_UNIT)
        return bool(compare(one, other))

    return _table(sign, {**rows, ("string", "string"): texts})


BINARY: Final[dict[str, Binary]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "==": equal,
    "!=": not_equal,
    "<": _comparison("<", operator.lt),
    "<=": _comparison("<=", operator.le),
    ">": _comparison(">", operator.gt),
    ">=": _comparison(">=", operator.ge),
    "in": contains,
    "[]": index,
}
