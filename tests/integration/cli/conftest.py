"""A definition in a file, people, and an engine in process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import Group, Permission, User

Write = Callable[..., str]

REFUND: dict[str, Any] = {
    "workflow": "refund",
    "title": "Refund an order",
    "input": {
        "type": "object",
        "required": ["amount"],
        "properties": {"amount": {"type": "integer"}},
    },
    "nodes": [
        {"id": "start", "type": "start", "next": "large"},
        {
            "id": "large",
            "type": "switch",
            "choices": [{"name": "big", "when": "amount > 500", "next": "ask"}],
            "default": "done",
        },
        {
            "id": "ask",
            "type": "approval",
            "title": "Refund ${amount}",
            "to": {"groups": ["legal"]},
            "form": {
                "type": "object",
                "required": ["ticket"],
                "properties": {"ticket": {"type": "string"}},
            },
            "next": "done",
            "on_reject": "refused",
        },
        {"id": "refused", "type": "end", "result": "blocked", "reason": "${decision.comment}"},
        {"id": "done", "type": "end", "output": {"amount": "${amount}"}},
    ],
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a definition to a file and return its name."""

    def to_file(definition: Any, name: str = "refund.yaml") -> str:
        path = tmp_path / name
        if not isinstance(definition, str):
            # Through JSON, so that nothing is shared: anchors are refused.
            definition = yaml.safe_dump(json.loads(json.dumps(definition)), sort_keys=False)
        path.write_text(definition)
        return str(path)

    return to_file


@pytest.fixture
def refund(write: Write) -> str:
    return write(REFUND)


@pytest.fixture
def people(transactional_db: None) -> dict[str, User]:
    """Alice may do everything with runs; Lena is in legal and may only look."""
    names = ("start_run", "cancel_run", "send_event", "publish_workflow")
    alice = User.objects.create(username="alice")
    alice.user_permissions.set(Permission.objects.filter(codename__in=names))
    lena = User.objects.create(username="lena")
    lena.groups.add(Group.objects.create(name="legal"))
    return {"alice": alice, "lena": lena}
