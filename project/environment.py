"""Environment variables whose mistakes are told in one line that names the variable."""

import json
import logging
from collections.abc import Collection
from typing import Any, ClassVar

import environ

from workflows.errors import ConfigurationError, nearest, suggest

_ON = ("true", "yes", "on", "1", "y", "t", "ok")
_OFF = ("false", "no", "off", "0", "n", "f", "")


def _to_float(text: str) -> float:
    return float(text)  # the package knows `float` itself by its name, and reads it otherwise


_WANTED = {int: "a whole number", _to_float: "a number"}


class Environment(environ.Env):  # type: ignore[misc]  # the package has no types of its own
    """Reads as `environ.Env` does; a wrong value is a ConfigurationError.

    A value is not repeated in the message unless it is a number or a choice: it may be a secret.
    """

    #: Every name that was asked for, set or not.
    asked: ClassVar[set[str]] = set()

    def get_value(self, var: str, *args: Any, **options: Any) -> Any:
        self.asked.add(var)
        cast: Any = options.get("cast", args[0] if args else None)
        self._refuse_odd(var)
        try:
            return super().get_value(var, *args, **options)
        except json.JSONDecodeError as error:
            reason = f"no JSON: {error.msg} at character {error.pos + 1}"
        except ValueError:
            wanted = _WANTED.get(cast)
            given = self.ENVIRON.get(var, "")
            reason = f"{given[:40]!r} is not {wanted}" if wanted else "cannot be read"
        raise ConfigurationError(f"{var}: {reason}")

    def bool(self, var: str, *, default: bool) -> bool:
        """Return whether something is on. A word for neither is refused, not taken for off."""
        word = str(self.str(var, default=str(default))).strip().lower()
        if word not in (*_ON, *_OFF):
            known = ", ".join(each for each in (*_ON, *_OFF) if each)
            raise ConfigurationError(f"{var}: {word[:40]!r} is none of {known}")
        return word in _ON

    def number(self, var: str, *, default: float) -> float:
        """Return a number. The package's own `float` leaves letters out: `1e3` would be 13."""
        return float(self.get_value(var, _to_float, default=default))

    def email_url(self, var: str, *args: Any, **options: Any) -> dict[str, Any]:
        try:
            return dict(super().email_url(var, *args, **options))
        except (ValueError, environ.ImproperlyConfigured):
            known = ", ".join(f"{scheme}://" for scheme in sorted(self.EMAIL_SCHEMES))
            raise ConfigurationError(f"{var}: no address with one of {known}") from None

    def choice(self, var: str, *, default: str, known: Collection[str]) -> str:
        """Return one of the known words."""
        value = str(self.str(var, default=default))
        if value not in known:
            choices = ", ".join(known)
            message = f"{var}: {value!r} is none of {choices}{suggest(value, set(known))}"
            raise ConfigurationError(message)
        return value

    def at_least(self, var: str, least: int, *, default: int) -> int:
        """Return a whole number that is not too small."""
        value = int(self.int(var, default=default))
        if value < least:
            raise ConfigurationError(f"{var}: {value} is less than {least}")
        return value

    def log_level(self, var: str, *, default: str) -> str:
        """Return the name of a level of the standard library's logging."""
        return self.choice(var, default=default, known=list(logging.getLevelNamesMapping()))

    def misspelt(self, prefix: str) -> dict[str, str]:
        """Return the set names with this prefix that nobody reads, with the near one that is read.

        What is near none is left out: it may belong to something else.
        """
        known = {name.removeprefix(prefix) for name in self.asked if name.startswith(prefix)}
        odd = (name for name in self.ENVIRON if name.startswith(prefix) and name not in self.asked)
        found = {name: nearest(name.removeprefix(prefix), known) for name in odd}
        return {name: f"{prefix}{near}" for name, near in found.items() if near is not None}

    def _refuse_odd(self, var: str) -> None:
        given = self.ENVIRON.get(var, "")
        try:
            given.encode()
        except UnicodeEncodeError:
            # The system hands on bytes that are no text as surrogates, which fail at the first use.
            raise ConfigurationError(f"{var}: not UTF-8 text") from None
        if given.startswith("$") and given.lstrip("$") not in self.ENVIRON:
            # The package would take the default instead, as if nothing had been set.
            reason = "what begins with $ names another variable, and there is none of that name"
            raise ConfigurationError(f"{var}: {reason}")
