"""Functions that turn one type into another: CEL's own, and ours that are kinder to data."""

import re
from datetime import datetime
from typing import Any, Final

from workflows.expressions.faults import FaultError
from workflows.expressions.kinds import (
    UINT_MAX,
    TypeName,
    UInt,
    check_int,
    kind,
    to_text,
    type_name,
)
from workflows.expressions.limits import Budget
from workflows.expressions.registry import Registry

REGISTRY: Final = Registry()

_INT = re.compile(r"[+-]?[0-9]{1,20}")
_FLOAT = re.compile(
    r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?"
)
_TRUE: Final = frozenset({"true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})


@REGISTRY.add({"to_string(12)": "12", "to_string([1, 'a'])": '[1,"a"]', "to_string(null)": "null"})
def to_string(budget: Budget, value: Any) -> str:
    """Return the value as text: a text as it is, everything else as compact JSON."""
    return to_text(value, budget)


@REGISTRY.add({"to_int(' 12 ')": 12, "to_int(1.9)": 1, "to_int(true)": 1})
def to_int(value: str | float | bool) -> int:  # noqa: FBT001 - data
    """Return the value as an integer; what is behind the point is cut off."""
    if isinstance(value, str):
        text = value.strip()
        return check_int(int(text)) if _INT.fullmatch(text) else _truncate(_read_float(text))
    return _truncate(value)


@REGISTRY.add({"to_float('1.5')": 1.5, "to_float(2)": 2.0})
def to_float(value: str | float | bool) -> float:  # noqa: FBT001 - data
    """Return the value as a floating point number."""
    return _read_float(value.strip()) if isinstance(value, str) else float(value)


@REGISTRY.add({"to_bool('Yes')": True, "to_bool(0)": False})
def to_bool(value: str | float | bool) -> bool:  # noqa: FBT001 - data
    """Return true for true, yes, 1 and false for false, no, 0, in any case; else an error."""
    text = value.strip().lower() if isinstance(value, str) else f"{float(value):g}"
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise FaultError("to_bool takes true, false, yes, no, 1 or 0")


@REGISTRY.add({"int('12')": 12, "int(1.9)": 1}, name="int")
def _int(value: str | float | datetime) -> int:
    """Return the number, the text of an integer, or the seconds since 1970 of a timestamp."""
    if isinstance(value, str):
        if _INT.fullmatch(value):
            return check_int(int(value))
        raise FaultError("int takes the text of an integer; see to_int")
    return _truncate(value.timestamp() if isinstance(value, datetime) else value)


@REGISTRY.add({"uint(3) == 3u": True}, name="uint")
def _uint(value: str | float) -> UInt:
    """Return the unsigned integer of a number or of a text."""
    if isinstance(value, str) and not _INT.fullmatch(value):
        raise FaultError("uint takes the text of an integer")
    number = int(value) if isinstance(value, str | int) else _truncate(value)
    if 0 <= number <= UINT_MAX:
        return UInt(number)
    raise FaultError("the number is no unsigned integer of 64 bit")


@REGISTRY.add({"double('1.5')": 1.5, "double(2)": 2.0}, name="double")
def _double(value: str | float) -> float:
    """Return the number, or the number in a text, as a floating point number."""
    return _read_float(value) if isinstance(value, str) else float(value)


@REGISTRY.add({"string(1.5)": "1.5", "string(true)": "true"}, name="string")
def _string(budget: Budget, value: Any) -> str:
    """Return the value as text, as `to_string` does; bytes are read as UTF-8."""
    if not isinstance(value, bytes):
        return to_text(value, budget)
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise FaultError("the bytes are not UTF-8") from None
    if "\0" in text:
        raise FaultError("the bytes have a NUL character, which text must not have")
    return text


@REGISTRY.add({"bool('true')": True}, name="bool")
def _bool(value: str | bool) -> bool:  # noqa: FBT001 - data
    """Return the boolean, or the one in the text; see `to_bool`."""
    if isinstance(value, bool):
        return value
    if value in {"true", "True", "TRUE", "t"}:
        return True
    if value in {"false", "False", "FALSE", "f"}:
        return False
    raise FaultError("bool takes the text true or false")


@REGISTRY.add({"size(bytes('é'))": 2}, name="bytes")
def _bytes(value: str | bytes) -> bytes:
    """Return the text as bytes of UTF-8."""
    return value.encode() if isinstance(value, str) else value


@REGISTRY.add({"type(1) == int": True, "type('a') == string": True}, name="type")
def _type(value: Any) -> TypeName:
    """Return the type, to compare with `int uint double bool string bytes list map null_type`."""
    return TypeName("type") if kind(value) == "type" else type_name(value)


@REGISTRY.add({"dyn(1) == 1": True})
def dyn(value: Any) -> Any:
    """Return the value: there for expressions that were written for other CEL engines."""
    return value


def _truncate(value: float) -> int:
    try:
        return check_int(int(value))
    except (OverflowError, ValueError):
        raise FaultError("NaN and infinity are no integers") from None


def _read_float(text: str) -> float:
    if _FLOAT.fullmatch(text):
        return float(text)
    raise FaultError("the text is not a number")
