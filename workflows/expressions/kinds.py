"""The types that expressions know, over plain Python values.

JSON values are used as they are: no copy and no conversion goes in front of an evaluation. Beside
them there are timestamps (aware datetimes), durations (timedeltas), bytes, unsigned integers and
type names; on the way out these become JSON again.
"""

import json
import math
from base64 import b64encode
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from workflows.expressions.faults import FaultError
from workflows.expressions.limits import (
    MAX_DEPTH,
    MAX_VALUES,
    VALUE_UNITS,
    Budget,
    LimitError,
    check_text_size,
)

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1
UINT_MAX: Final = 2**64 - 1

_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


class UInt(int):
    """An unsigned integer of 64 bit, written `1u`."""

    __slots__ = ()


class TypeName(str):
    """What `type(x)` gives, and what the names `int`, `string`, ... stand for."""

    __slots__ = ()


_KINDS: Final[dict[type, str]] = {
    str: "string",
    int: "int",
    float: "double",
    bool: "bool",
    type(None): "null",
    list: "list",
    dict: "map",
    UInt: "uint",
    TypeName: "type",
    datetime: "timestamp",
    timedelta: "duration",
    bytes: "bytes",
}
_ORDER: Final = (TypeName, UInt, str, int, float, list, dict, datetime, timedelta)

NUMBERS: Final = frozenset({"int", "uint", "double"})
#: Names that stand for a type where no context key of that name exists.
TYPE_NAMES: Final[dict[str, TypeName]] = {
    "bool": TypeName("bool"),
    "bytes": TypeName("bytes"),
    "double": TypeName("double"),
    "int": TypeName("int"),
    "list": TypeName("list"),
    "map": TypeName("map"),
    "null_type": TypeName("null_type"),
    "string": TypeName("string"),
    "type": TypeName("type"),
    "uint": TypeName("uint"),
}
_CEL_NAMES: Final = {
    "null": "null_type",
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
}


def kind(value: Any) -> str:
    """Return the short name of the value's type: `int`, `string`, `timestamp`, ..."""
    found = _KINDS.get(type(value))
    if found is not None:
        return found
    for base in _ORDER:
        if isinstance(value, base):
            return _KINDS[base]
    raise FaultError(f"a value of type {type(value).__name__} cannot be used in an expression")


def type_name(value: Any) -> TypeName:
    """Return what CEL's `type(value)` gives."""
    name = kind(value)
    return TypeName(_CEL_NAMES.get(name, name))


def to_text(value: Any, budget: Budget) -> str:
    """Return the text of any value: texts as they are, everything else as compact JSON."""
    if isinstance(value, str):
        return str(value)
    plain = to_json(value, budget)
    if isinstance(plain, str):
        return plain
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    check_text_size(len(text))
    return text


def to_json(value: Any, budget: Budget) -> Any:
    """Return the value as plain JSON; what is plain already is returned itself, not copied.

    Timestamps become RFC 3339 text, durations ISO 8601 text (`PT5M`), bytes base64 text.

    Raises:
        FaultError: NaN, infinity, an integer past 64 bit, or a type has no JSON.
        LimitError: The result is too large or too deep.
    """
    return _Export(budget).export(value, 0)


def check_int(value: int) -> int:
    """Return `value` if it fits in 64 bit. Raises FaultError."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise FaultError("the integer does not fit in 64 bit")


def format_timestamp(moment: datetime) -> str:
    """Return RFC 3339 text, with `Z` for UTC and as many digits as there are."""
    text = moment.isoformat()
    return f"{text[:-6]}Z" if moment.utcoffset() == timedelta(0) else text


def format_duration(span: timedelta) -> str:
    """Return ISO 8601 text: `P1DT2H`, `PT0.5S`, `-PT5M`, `PT0S`."""
    sign, span = ("-", -span) if span < timedelta(0) else ("", span)
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{span.microseconds:06d}".rstrip("0") if span.microseconds else ""
    days = f"{span.days}D" if span.days else ""
    clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M")) if n)
    clock += f"{seconds}{fraction}S" if seconds or fraction else ""
    if clock:
        return f"{sign}P{days}T{clock}"
    return f"{sign}P{days}" if days else "PT0S"


class _Export:
    """One conversion of a result to JSON; counts the values in it."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.values = 0

    def export(self, value: Any, depth: int) -> Any:
        if isinstance(value, list | dict):
            self.values += len(value)
            # Plain elements are looked at together, so most of the time goes into containers.
            self.budget.spend(VALUE_UNITS + len(value) // VALUE_UNITS)
            if depth >= MAX_DEPTH or self.values > MAX_VALUES:
                raise LimitError(
                    f"its result has more than {MAX_VALUES} values or {MAX_DEPTH} levels"
                )
            if isinstance(value, list):
                return self._list(value, depth)
            return self._map(value, depth)
        return _export_scalar(value)

    def _list(self, items: list[Any], depth: int) -> list[Any]:
        if _are_plain(items):
            return items
        made = [self.export(item, depth + 1) for item in items]
        return made if any(map(_is_not, made, items)) else items

    def _map(self, entries: dict[Any, Any], depth: int) -> dict[str, Any]:
        if set(map(type, entries)) <= {str}:
            if _are_plain(entries.values()):
                return entries
            made = {key: self.export(item, depth + 1) for key, item in entries.items()}
            return made if any(map(_is_not, made.values(), entries.values())) else entries
        # JSON has text keys only: `{1: 'a'}` leaves as {"1": "a"}.
        return {
            to_text(key, self.budget): self.export(item, depth + 1) for key, item in entries.items()
        }


def _are_plain(values: Collection[Any]) -> bool:
    types = set(map(type, values))
    if float in types and not all(map(math.isfinite, filter(_is_float, values))):
        return False
    return types <= _PLAIN


def _is_float(value: Any) -> bool:
    return type(value) is float


def _is_not(one: Any, other: Any) -> bool:
    return one is not other


def _export_scalar(value: Any) -> Any:
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise FaultError("the result is NaN or infinity, which JSON does not have")
    if isinstance(value, TypeName):
        raise FaultError("the result is a type, not a value; compare it, as in type(x) == int")
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return check_int(int(value))
    return _export_special(value)


def _export_special(value: Any) -> str:
    if isinstance(value, datetime):
        return format_timestamp(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise FaultError(f"a value of type {type(value).__name__} is not JSON")
