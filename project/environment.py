"""Environment variables whose mistakes are told in one line that names the variable."""

import json
import logging
from collections.abc import Collection
from typing import Any

import environ

from workflows.errors import ConfigurationError, suggest

_WANTED = {int: "a whole number", float: "a number"}


class Environment(environ.Env):  # type: ignore[misc]  # the package has no types of its own
    """Reads as `environ.Env` does; a wrong value is a ConfigurationError.

    A value is not repeated in the message unless it is a number or a choice: it may be a secret.
    """

    def get_value(self, var: str, *args: Any, **options: Any) -> Any:
        cast: Any = options.get("cast", args[0] if args else None)
        try:
            return super().get_value(var, *args, **options)
        except json.JSONDecodeError as error:
            reason = f"no JSON: {error.msg} at character {error.pos + 1}"
        except ValueError:
            wanted = _WANTED.get(cast)
            given = self.ENVIRON.get(var, "")
            reason = f"{given!r} is not {wanted}" if wanted else "cannot be read"
        raise ConfigurationError(f"{var}: {reason}")

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
