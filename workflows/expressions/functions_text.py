"""Functions on text, and those that make text safe for another language."""

import html
import json
import shlex
from functools import lru_cache
from hashlib import sha256 as _sha256
from typing import Any, Final
from urllib.parse import quote

import re2

from workflows.expressions.faults import FaultError
from workflows.expressions.kinds import kind, to_text
from workflows.expressions.limits import (
    Budget,
    LimitError,
    check_item_count,
    check_text_size,
)
from workflows.expressions.operators import contains as is_in
from workflows.expressions.registry import Registry

TEXT: Final = Registry()
QUOTING: Final = Registry()

_MAX_PATTERN: Final = 1000
#: Characters of a text times steps of a pattern: at most in one call, and for one unit.
_MAX_WORK: Final = 4_000_000
_WORK_UNIT: Final = 256
_PATTERN_UNITS: Final = 40


@TEXT.add({"lower('Ada')": "ada"})
def lower(text: str) -> str:
    """Return the text in lower case."""
    return text.lower()


@TEXT.add({"upper('Ada')": "ADA"})
def upper(text: str) -> str:
    """Return the text in upper case."""
    return text.upper()


@TEXT.add({"trim('  a b ')": "a b"})
def trim(text: str) -> str:
    """Return the text without white space at both ends."""
    return text.strip()


@TEXT.add({"split('a,b', ',')": ["a", "b"], "'a b'.split(' ')": ["a", "b"]})
def split(text: str, separator: str) -> list[Any]:
    """Return the parts of the text between the separators."""
    if not separator:
        raise FaultError("split needs a separator that is not empty")
    check_item_count(text.count(separator) + 1)
    return list(text.split(separator))


@TEXT.add({"join(['a', 'b'], '-')": "a-b", "join([1, true])": "1true"})
def join(budget: Budget, items: list[Any], separator: str = "") -> str:
    """Return the elements as text, one after the other with the separator between them."""
    texts = [item if isinstance(item, str) else to_text(item, budget) for item in items]
    check_text_size(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


@TEXT.add({"replace('a-b-c', '-', '+')": "a+b+c"})
def replace(text: str, old: str, new: str) -> str:
    """Return the text with every `old` replaced by `new`."""
    if not old:
        raise FaultError("replace needs a text to look for that is not empty")
    check_text_size(len(text) + text.count(old) * max(len(new) - len(old), 0))
    return text.replace(old, new)


@TEXT.add({"contains('workflow', 'flow')": True, "contains([1, 2], 2.0)": True})
def contains(budget: Budget, where: str | list[Any], part: Any) -> bool:
    """Tell whether a text has the part in it, or a list the element."""
    if isinstance(where, list):
        return is_in(budget, part, where)
    return _text(part, "contains") in where


@TEXT.add({"startsWith('order-7', 'order')": True})
def startsWith(text: str, prefix: str) -> bool:  # noqa: N802 - CEL's name
    """Tell whether the text begins with the prefix."""
    return text.startswith(prefix)


@TEXT.add({"endsWith('a.pdf', '.pdf')": True})
def endsWith(text: str, suffix: str) -> bool:  # noqa: N802 - CEL's name
    """Tell whether the text ends with the suffix."""
    return text.endswith(suffix)


@TEXT.add({"matches('AB-12', '^[A-Z]+-[0-9]+$')": True})
def matches(budget: Budget, text: str, pattern: str) -> bool:
    """Tell whether the RE2 pattern is found in the text (RE2: no back references)."""
    if len(pattern) > _MAX_PATTERN:
        raise FaultError(f"a pattern has at most {_MAX_PATTERN} characters")
    compiled = _compile_pattern(pattern)
    # RE2 never explodes, but at worst it takes time in proportion to text times pattern.
    work = len(text) * compiled.programsize
    if work > _MAX_WORK:
        raise LimitError("it looks for a large pattern in a large text")
    budget.spend(_PATTERN_UNITS + work // _WORK_UNIT)
    return compiled.search(text) is not None


@TEXT.add({"substring('approval', 0, 3)": "app", "substring('approval', 3)": "roval"})
def substring(text: str, start: int, end: int | None = None) -> str:
    """Return the characters from `start` (from 0) up to `end`, cut off where the text ends."""
    if start < 0 or (end is not None and end < 0):
        raise FaultError("substring takes places from 0 on")
    return text[start:end]


@TEXT.add({"length('abc')": 3, "length([1, 2])": 2})
def length(value: str | bytes | list[Any] | dict[str, Any]) -> int:
    """Return the number of characters, elements or keys. `size` is the same."""
    return len(value)


@TEXT.add({"size({'a': 1})": 1}, name="size")
def _size(value: str | bytes | list[Any] | dict[str, Any]) -> int:
    """Return the number of characters, elements or keys."""
    return len(value)


@TEXT.add(
    {"sha256('a')": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"},
)
def sha256(text: str | bytes) -> str:
    """Return the SHA-256 of the text (as UTF-8) in hex."""
    return _sha256(text.encode() if isinstance(text, str) else text).hexdigest()


@QUOTING.add({"shell_quote('a b')": "'a b'", "shell_quote('$(x)')": "'$(x)'"})
def shell_quote(budget: Budget, value: Any) -> str:
    """Return the value as one word of a POSIX shell command."""
    return shlex.quote(to_text(value, budget))


@QUOTING.add({"json_escape('a\"b')": 'a\\"b'})
def json_escape(budget: Budget, value: Any) -> str:
    """Return the value as it stands between the quotes of a JSON text."""
    return json.dumps(to_text(value, budget))[1:-1]


@QUOTING.add({"url_encode('a b&c')": "a%20b%26c"})
def url_encode(budget: Budget, value: Any) -> str:
    """Return the value as one part of a URL: a path segment, or a value in a query."""
    return quote(to_text(value, budget), safe="")


@QUOTING.add({"html_escape('<b>')": "&lt;b&gt;"})
def html_escape(budget: Budget, value: Any) -> str:
    """Return the value as text inside HTML, also inside a quoted attribute."""
    return html.escape(to_text(value, budget), quote=True)


def _text(value: Any, name: str) -> str:
    if isinstance(value, str):
        return value
    raise FaultError(f"{name} looks for a string in a string, not for {kind(value)}")


@lru_cache(maxsize=512)
def _compile_pattern(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise FaultError("the pattern is no RE2 pattern, or too large") from None
