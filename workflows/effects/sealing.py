"""Encrypts secrets for the database, with the keys of the settings and never a key beside it."""

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from workflows import conf
from workflows.errors import ConfigurationError


def seal(name: str, value: str) -> str:
    """Return a value encrypted with the newest key. Raises ConfigurationError without a key.

    The name is sealed in with it: a ciphertext that is moved to another secret's row is refused.
    """
    return _fernet().encrypt(json.dumps([name, value]).encode()).decode()


def unseal(name: str, sealed: str) -> str:
    """Return the value. Raises ConfigurationError when none of the keys has sealed it."""
    try:
        owner, value = json.loads(_fernet().decrypt(sealed.encode()))
    except InvalidToken:
        owner, value = None, ""
    if owner != name:
        message = f"{conf.SECRET_KEYS}: none of the keys opens the secret {name!r}; set it again."
        raise ConfigurationError(message) from None
    return str(value)


def new_key() -> str:
    """Return a key for the settings, drawn by lot."""
    return Fernet.generate_key().decode()


def _fernet() -> MultiFernet:
    keys = conf.settings().secret_keys
    if not keys:
        message = f"{conf.SECRET_KEYS}: there is no key to keep secrets with."
        raise ConfigurationError(f"{message} `manage.py workflow secret new-key` makes one.")
    return MultiFernet([Fernet(key) for key in keys])
