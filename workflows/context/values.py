"""Which values a context may hold, and how they become text and back.

Values are JSON: null, booleans, 64 bit integers, finite floats, text without NUL characters or
lone surrogates, lists, and objects with text keys, at most 64 levels deep.
"""

import json
import math
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NoReturn

from workflows.absent import ABSENT, Absent
from workflows.errors import ValueRefusedError

__all__ = [
    "ABSENT",
    "MAX_BYTES",
    "MAX_DEPTH",
    "Absent",
    "canonical",
    "check_text",
    "check_value",
    "digest",
    "dumps",
    "equal",
    "loads",
]

MAX_DEPTH = 64
#: What `loads` reads at most unless told otherwise, in bytes of UTF-8.
MAX_BYTES = 8 * 1024 * 1024

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
#: Text of an integer that is longer than this cannot be a 64 bit one.
_INT_TEXT = 20
_TOO_LARGE = 2**63


def check_value(
    value: Any, *, max_bytes: int | None = None, pointer: str = "", setting: str = ""
) -> None:
    """Refuse what is not plain, bounded JSON.

    Args:
        value: What wants to enter a context; never changed.
        max_bytes: The largest compact JSON text, in bytes of UTF-8; None for no limit.
        pointer: JSON pointer of `value` itself, the beginning of the one in the error.
        setting: Where the limit comes from, for the message.

    Raises:
        ValueRefusedError: Says what is wrong; its `pointer` leads to the spot.
    """
    limit = math.inf if max_bytes is None else max_bytes
    if not _is_clean(value, limit=limit):
        for count, (spot, reason) in enumerate(_faults(value, pointer)):
            if reason:
                raise ValueRefusedError(f"{reason} at {spot or '/'}", spot)
            if count >= limit:
                break
        raise _too_large(max_bytes, pointer, setting)
    if max_bytes is not None and len(dumps(value).encode()) > max_bytes:
        raise _too_large(max_bytes, pointer, setting)


def check_text(text: str, what: str, *, longest: int) -> None:
    """Refuse text that no row can hold: a key, a name or a reason, not a value of a context.

    Args:
        text: What wants to be kept or looked for.
        what: What to call it in the message.
        longest: The most characters it may have.

    Raises:
        ValueRefusedError: It is no text, is too long, or has a NUL character or a lone surrogate.
    """
    if not isinstance(text, str):  # type hints bind nobody: a number is the usual slip
        raise ValueRefusedError(f"The {what} is refused: it is {type(text).__name__}, not text.")
    fault = _text_fault(text)
    if fault:
        raise ValueRefusedError(f"The {what} is refused: text {fault}.")
    if len(text) > longest:
        raise ValueRefusedError(f"The {what} is refused: longer than {longest} characters.")


def loads(text: str | bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Read strict JSON: no NaN, no key twice, no text that decodes to a refused value.

    Raises:
        ValueRefusedError: With line and column when it is no JSON, else with a pointer.
    """
    if len(text) > max_bytes:
        raise ValueRefusedError(f"the JSON text is larger than the limit of {max_bytes} bytes")
    repeats: list[_Repeated] = []

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        repeats.append(_Repeated(found))
        return repeats[-1]

    value = _parse(text, build)
    if repeats:
        _refuse_repeats(value, repeats)
    check_value(value)
    return value


def dumps(value: Any) -> str:
    """Return compact JSON text. Raises ValueRefusedError for what is no JSON."""
    return _dump(value, sort_keys=False)


def canonical(value: Any) -> str:
    """Return compact JSON text with sorted keys: equal values have equal text."""
    return _dump(value, sort_keys=True)


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical text, in hex."""
    try:
        return sha256(canonical(value).encode()).hexdigest()
    except UnicodeEncodeError:
        check_value(value)
        raise


def equal(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same: 1 equals 1.0, and never true."""
    if one is other:
        return True
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    if isinstance(one, dict):
        return isinstance(other, dict) and _equal_objects(one, other)
    if isinstance(one, list):
        return (
            isinstance(other, list)
            and len(one) == len(other)
            and all(equal(a, b) for a, b in zip(one, other, strict=True))
        )
    return bool(one == other)


def _too_large(max_bytes: int | None, pointer: str, setting: str) -> ValueRefusedError:
    message = f"the value at {pointer or '/'} is larger than the limit of {max_bytes} bytes"
    message += f", which {setting} sets" if setting else ""
    return ValueRefusedError(message, pointer)


class _Repeated(dict[str, Any]):
    """An object in whose text a key stands twice."""


def _equal_objects(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return len(one) == len(other) and all(
        key in other and equal(value, other[key]) for key, value in one.items()
    )


def _dump(value: Any, *, sort_keys: bool) -> str:
    try:
        return json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=sort_keys
        )
    except (TypeError, ValueError, RecursionError):
        check_value(value)
        raise ValueRefusedError("the value is not JSON") from None


def _parse(text: str | bytes, build: Any) -> Any:
    try:
        source = text.decode() if isinstance(text, bytes) else text
        return json.loads(source, object_pairs_hook=build, parse_int=_parse_int)
    except UnicodeDecodeError as error:
        message = f"the JSON text is not UTF-8 at byte {error.start}"
        raise ValueRefusedError(message) from None
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise ValueRefusedError(message) from None
    except RecursionError:
        message = f"the JSON text is nested deeper than {MAX_DEPTH} levels, from line 1, column 1"
        raise ValueRefusedError(message) from None


def _parse_int(text: str) -> int:
    # Python's own int() is quadratic, so a text that cannot fit is not converted at all.
    return int(text) if len(text) <= _INT_TEXT else _TOO_LARGE


def _refuse_repeats(value: Any, repeats: list[_Repeated]) -> NoReturn:
    wanted = {id(repeat) for repeat in repeats}
    for item, pointer, _ in _walk(value, ""):
        if id(item) in wanted:
            message = f"a key stands twice in the object at {pointer or '/'}"
            raise ValueRefusedError(message, pointer)
    # The object is not in the value any more: it stood under a key that came again.
    raise ValueRefusedError("a key stands twice in an object that itself was given twice")


def _is_clean(value: Any, *, limit: float) -> bool:  # noqa: C901, PLR0911, PLR0912 - one flat loop: every activity answer goes through it
    level, room = [value], limit
    for depth in range(MAX_DEPTH + 1):
        # A value takes a byte at least; counting here stops one that shares parts with itself.
        room -= len(level)
        if room < 0 or (
            depth == MAX_DEPTH and any(isinstance(item, dict | list) for item in level)
        ):
            return False
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if "\0" in item or not (item.isascii() or _is_encodable(item)):
                    return False
            elif item is None or item is True or item is False:
                continue
            elif isinstance(item, int):
                if not _INT_MIN <= item <= _INT_MAX:
                    return False
            elif isinstance(item, float):
                if not math.isfinite(item):
                    return False
            elif isinstance(item, dict):
                for key in item:
                    if not isinstance(key, str) or _text_fault(key):
                        return False
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
            else:
                return False
        if not deeper:
            return True
        level = deeper
    return False


def _faults(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Yield (pointer, what is wrong or nothing) for each value, parents first."""
    for item, spot, depth in _walk(value, pointer):
        if isinstance(item, dict | list) and depth >= MAX_DEPTH:
            yield spot, f"nested deeper than {MAX_DEPTH} levels"
        elif isinstance(item, dict):
            yield spot, next(filter(None, map(_key_fault, item)), "")
        else:
            yield spot, _scalar_fault(item)


def _walk(value: Any, pointer: str) -> Iterator[tuple[Any, str, int]]:
    """Yield (value, pointer, depth), parents first, left to right, as deep as is allowed."""
    stack = [(value, pointer, 0)]
    while stack:
        item, spot, depth = stack.pop()
        yield item, spot, depth
        if depth >= MAX_DEPTH:
            continue
        if isinstance(item, dict):
            pairs = [(_escape(str(key)), child) for key, child in item.items()]
        elif isinstance(item, list):
            pairs = [(str(index), child) for index, child in enumerate(item)]
        else:
            continue
        stack += [(child, f"{spot}/{name}", depth + 1) for name, child in reversed(pairs)]


def _escape(key: str) -> str:
    # A pointer goes into messages and rows: it must not carry what it complains about.
    clean = key.replace("\0", "").encode(errors="replace").decode()
    return clean.replace("~", "~0").replace("/", "~1")


def _scalar_fault(item: Any) -> str:
    if item is None or isinstance(item, bool | list):
        return ""
    if isinstance(item, str):
        return (reason := _text_fault(item)) and f"text {reason}"
    if isinstance(item, int):
        return "" if _INT_MIN <= item <= _INT_MAX else "an integer past 64 bit"
    if isinstance(item, float):
        return "" if math.isfinite(item) else "NaN or infinity, which JSON does not have,"
    return f"{type(item).__name__} is not a JSON type"


def _key_fault(key: Any) -> str:
    if not isinstance(key, str):
        return f"a key is {type(key).__name__}, not text,"
    return (reason := _text_fault(key)) and f"a key {reason}"


def _text_fault(text: str) -> str:
    if "\0" in text:
        return "with a NUL character"
    return "" if text.isascii() or _is_encodable(text) else "with a lone surrogate"


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
