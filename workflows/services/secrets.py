"""Keeping secrets: set, sealed anew, deleted. Nothing here ever returns a value."""

import re
from collections.abc import Sequence

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from workflows import conf
from workflows.definition.model import SECRET_NAME
from workflows.effects.sealing import seal, unseal
from workflows.errors import NotFoundError, ValueRefusedError, suggest
from workflows.store import secrets

#: A shorter value could not be told from other text where it has to be struck out.
SHORTEST = 4
LONGEST = 20_000


def set_secret(
    name: str,
    value: str,
    *,
    hosts: Sequence[str] | None = None,
    by: AbstractBaseUser | None = None,
) -> bool:
    """Add a secret, or give it another value; return whether it is new.

    Args:
        name: letters, digits and `_.-`, as `{secret: name}` writes it.
        value: 4 to 20,000 characters.
        hosts: the only hosts that it may be sent to (`api.example.org`, `*.example.org`,
            `localhost:8000`); empty for any, None to leave them as they are.
        by: who sets it.

    Raises:
        ValueRefusedError: name, value or a host is not as it must be; the value is not repeated.
        ConfigurationError: there is no key to keep it with.
    """
    if not re.fullmatch(SECRET_NAME, name):
        raise ValueRefusedError(f"{name!r} is no name of a secret: letters, digits and _.- only")
    check_value(value)
    _check_hosts(hosts or ())
    with transaction.atomic():
        return secrets.put_secret(
            name, seal(name, value), hosts=hosts, user_id=by.pk if by is not None else None
        )


def check_value(value: str) -> None:
    """Refuse a value that could not be kept; it is not repeated.

    Raises:
        ValueRefusedError: it is too short, too long, or has a NUL character.
        ConfigurationError: there is no key to keep it with.
    """
    if not SHORTEST <= len(value) <= LONGEST or "\0" in value:
        message = f"a secret has {SHORTEST} to {LONGEST:,} characters, none of them NUL"
        raise ValueRefusedError(message)
    seal("", value)


def set_hosts(name: str, hosts: Sequence[str], *, by: AbstractBaseUser | None = None) -> None:
    """Say where a secret may be sent from now on; its value stays as it is.

    Raises:
        ValueRefusedError: one is no host.
        NotFoundError: there is no such secret.
    """
    _check_hosts(hosts)
    with transaction.atomic():
        found = {each.name: each for each in secrets.lock_secrets()}
        if name not in found:
            raise _unknown(name, set(found))
        secrets.put_secret(
            name, found[name].sealed, hosts=hosts, user_id=by.pk if by is not None else None
        )


def delete_secret(name: str) -> None:
    """Delete a secret; nodes that name it fail from now on. Raises NotFoundError."""
    with transaction.atomic():
        if secrets.delete_secret(name):
            return
        known = {each.name for each in secrets.lock_secrets()}
    raise _unknown(name, known)


def reseal_secrets() -> int:
    """Encrypt every secret anew with the newest key, and return how many there are.

    Raises:
        ConfigurationError: one cannot be read with any of the keys; then none is changed.
    """
    with transaction.atomic():
        found = secrets.lock_secrets()
        for each in found:
            secrets.reseal_secret(each, seal(each.name, unseal(each.name, each.sealed)))
    return len(found)


def _check_hosts(hosts: Sequence[str]) -> None:
    for host in hosts:
        if not conf.is_host(host):
            raise ValueRefusedError(f"{host!r} is no host such as api.example.org")


def _unknown(name: str, known: set[str]) -> NotFoundError:
    return NotFoundError(f"There is no secret {name!r}{suggest(name, known)}.")
