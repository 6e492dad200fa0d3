"""System checks: settings and databases that would lose work are refused before they can."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.db import connections

from workflows import conf
from workflows.effects import sandbox
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


@register("workflows")
def check_isolation(**_: Any) -> Sequence[CheckMessage]:
    """Warn where isolated work is allowed and there is no sandbox for it: it would fail."""
    try:
        settings = conf.settings()
    except ConfigurationError:
        return []  # told by the check of the settings
    if "isolated" not in (settings.code, settings.command):
        return []
    reason = sandbox.problem()
    hint = "Workers need it; a machine that only serves pages does without."
    return [checks.Warning(reason, hint=hint, id="workflows.W001")] if reason else []


@register("workflows", deploy=True)
def check_trust(**_: Any) -> Sequence[CheckMessage]:
    """Warn of settings under which an author of workflows can do what the workers can."""
    try:
        settings = conf.settings()
    except ConfigurationError:
        return []
    trusted = {conf.CODE: settings.code, conf.COMMAND: settings.command}
    return [
        checks.Warning(
            f"{name} is 'trusted': what authors write runs with the rights of the workers.",
            hint="Prefer 'isolated', unless every author may do what the workers can.",
            id="workflows.W002",
        )
        for name, mode in trusted.items()
        if mode == "trusted"
    ]
