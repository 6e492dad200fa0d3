"""All rows that a refused request must leave as they are."""

from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User

from workflows.models import Question

_OTHERS = (User, Group, LogEntry)


def everything() -> dict[str, list[dict[str, Any]]]:
    """Return every row of both apps, and of people and the admin's log, by table."""
    ours: list[Any] = [
        model
        for app in ("workflows", "approvals")
        for model in apps.get_app_config(app).get_models()
    ]
    rows = {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in [*ours, *_OTHERS]
    }
    for user in rows[User._meta.label]:
        del user["last_login"]  # logging in is no change of anything that is asked for
    return rows


def row_of(model: Any) -> Any:
    """Return a row of a table that its pages can show."""
    rows = model._base_manager.order_by("pk")
    # Only some of the waits are questions.
    return (rows.exclude(prompt="") if model is Question else rows)[0]
