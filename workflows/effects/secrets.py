"""Puts secrets into a call at the last moment, and strikes them out of what comes back."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from workflows.activities import NonRetryableError
from workflows.effects.addresses import matches
from workflows.effects.sealing import unseal
from workflows.errors import ConfigurationError
from workflows.store.secrets import load_secrets

STRUCK_OUT = "***"


@dataclass(frozen=True, slots=True)
class Revealed:
    """The parts of a call with the values in their places, and those values."""

    parts: dict[str, Any]
    redactor: "Redactor"


def reveal(parts: Mapping[str, Any], places: Mapping[str, str], host: str, port: int) -> Revealed:
    """Return the parts of a call in which each place has its secret's value.

    Args:
        parts: rendered parts of the call, by name; never changed.
        places: JSON pointer into `parts` -> name of the secret. Only places that the author has
            written count: an object from the data that looks like a reference is only data.
        host: where the call goes.
        port: of the host.

    Raises:
        NonRetryableError: `secret_unknown`, `secret_unreadable`, or `secret_refused` when a secret
            is not meant for this host.
    """
    values = _values(set(places.values()), host, port)
    made: dict[str, Any] = dict(parts)
    for pointer, name in places.items():
        made = _replaced(made, steps(pointer), values[name])
    return Revealed(made, Redactor(values.values()))


def _values(names: set[str], host: str, port: int) -> dict[str, str]:
    if not names:
        return {}
    found = load_secrets(names)
    for name in sorted(names):
        if name not in found:
            message = f"There is no secret {name!r}; `manage.py workflow secret set` keeps one."
            raise NonRetryableError("secret_unknown", message)
        hosts = found[name].hosts
        if hosts and not any(matches(each, host, port) for each in hosts):
            message = f"The secret {name!r} may not be sent to this host."
            raise NonRetryableError("secret_refused", message)
    try:
        return {name: unseal(name, found[name].sealed) for name in names}
    except ConfigurationError as error:
        raise NonRetryableError("secret_unreadable", error.message) from None


def steps(pointer: str) -> list[str]:
    """Return the keys and indexes that a JSON pointer leads through."""
    parts = pointer.split("/")[1:]
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def _replaced(value: Any, path: list[str], secret: str) -> Any:
    """Return a copy of `value` in which the reference at `path` is the secret, prefix and all."""
    if not path:
        return f"{value.get('prefix', '')}{secret}"
    first, *rest = path
    if isinstance(value, list):
        at = int(first)
        return [*value[:at], _replaced(value[at], rest, secret), *value[at + 1 :]]
    return {**value, first: _replaced(value[first], rest, secret)}


class Redactor:
    """Strikes values out of JSON, in each form that a server may give them back in."""

    def __init__(self, values: Iterable[str]) -> None:
        known = list(values)
        forms = {form for value in known for form in _forms(value)}
        # The longest first: one value may be a part of another.
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        self._packed = {form for value in known for form in _packed(value.encode())}

    def clean(self, value: Any) -> Any:
        """Return the value without the secrets, in keys, texts and numbers alike."""
        return self._cleaned(value) if self._forms else value

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {self._text(key): self._cleaned(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._cleaned(item) for item in value]
        if isinstance(value, bool) or value is None:
            return value
        text = json.dumps(value)
        return value if self._text(text) == text else STRUCK_OUT

    def _text(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, STRUCK_OUT)
        return STRUCK_OUT if self._is_hidden_in(text) else text

    def _is_hidden_in(self, text: str) -> bool:
        """Tell whether a value can be read out of a text that does not hold it as it is."""
        once = _readings(text)
        found = once.union(*map(_readings, once))
        if any(form in reading for reading in found for form in self._forms):
            return True
        # In lines, and a hexadecimal in capitals.
        joined = "".join(text.split())
        return any(form in each for each in (joined, joined.lower()) for form in self._packed)


def _readings(text: str) -> set[str]:
    """Return what a text becomes for those who take it for a URL, HTML, JSON, or another charset.

    The forms that are usual are struck out where they stand; but each character can be written in
    many ways, and those who write them mix them.
    """
    found = {unquote(text), unquote_plus(text)} if "%" in text else set()
    if "&" in text:
        found.add(html.unescape(text))
    if "\\" in text:
        found.add(_unescaped(text))
    if not text.isascii():
        with suppress(UnicodeError):
            found.add(text.encode("latin-1").decode())
    return found - {text}


def _unescaped(text: str) -> str:
    read = _ESCAPED.sub(lambda found: _character(found[1]), text)
    # Two escapes may be the halves of one character.
    return read.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(escaped: str) -> str:
    if len(escaped) > 1:
        return chr(int(escaped[1:], 16))
    return _LETTERS.get(escaped, escaped)


def _forms(value: str) -> set[str]:
    raw = value.encode()
    forms = {value, value.strip(), quote(value), quote(value, safe=""), quote_plus(value)}
    forms |= {line for line in value.splitlines() if len(line) >= _LINE}
    forms |= {html.escape(value), json.dumps(value)[1:-1]}
    forms |= {json.dumps(value, ensure_ascii=False)[1:-1]}
    return {form for form in forms | _packed(raw) if form.strip()}


def _packed(raw: bytes) -> set[str]:
    """Return the forms in which no character of a value can be told from the next."""
    forms = {raw.hex()}
    for encoded in _in_base64(raw):
        forms |= {encoded, encoded.replace("+", "-").replace("/", "_")}
    return forms


def _in_base64(raw: bytes) -> Iterator[str]:
    """Yield what stands in base64 text for bytes that begin at each of the three places in it."""
    yield base64.b64encode(raw).decode()
    for before in range(3):
        text = base64.b64encode(bytes(before) + raw).decode()
        # The characters at both ends are shared with whatever stands around.
        first, last = (before * 8 + 5) // 6, (before + len(raw)) * 8 // 6
        if last - first >= _IN_BASE64:
            yield text[first:last]


#: A line of a key in PEM form is told by itself; a shorter one may be any word.
_LINE = 16
_IN_BASE64 = 8
_ESCAPED = re.compile(r"\\(u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
