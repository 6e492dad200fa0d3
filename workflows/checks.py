"""System checks: settings and databases that would lose work are refused before they can."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.db import connections

from workflows import conf
from workflows.errors import ConfigurationError


@register("workflows")
def check_settings(**_: Any) -> Sequence[CheckMessage]:
    """Refuse settings that are unknown or malformed."""
    try:
        conf.settings()
    except ConfigurationError as error:
        return [Error(error.message, id="workflows.E001")]
    return []


@register("workflows")
def check_database(**_: Any) -> Sequence[CheckMessage]:
    """Refuse SQLite with Django's default options: its writers would fail each other."""
    database = connections["default"].settings_dict
    if "sqlite3" not in database["ENGINE"]:
        return []
    options = database.get("OPTIONS", {})
    if options.get("transaction_mode") == "IMMEDIATE" and options.get("timeout", 0) >= 20:
        return []
    return [
        Error(
            "SQLite without transaction_mode IMMEDIATE and a timeout of 20 s: concurrent workers "
            "would fail with 'database is locked'.",
            hint="Set OPTIONS = {'transaction_mode': 'IMMEDIATE', 'timeout': 20, 'init_command': "
            "'PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL'}.",
            id="workflows.E002",
        )
    ]
