"""Clients with names, and the workflows that they ask about."""

import json
from collections.abc import Callable
from typing import Any

from rest_framework.test import APIClient

from tests.support.builder import edit, end, workflow

API = "/api/v1"
RUNS, EVENTS = f"{API}/runs/", f"{API}/events/"
#: Gives a client who may do these things, and nothing else.
ClientOf = Callable[..., APIClient]

#: Over at once.
GREETING = workflow(
    "greeting",
    edit("greet", text="Hello ${name}"),
    end(),
    input={
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}},
    },
)
#: Waits for the payment of its order.
ORDER = workflow(
    "shop/order",
    {"id": "paid", "type": "wait_event", "event": "payment", "key": "order"},
    end(),
)
#: Waits twice at once.
SPLIT = {
    "workflow": "split",
    "nodes": [
        {"id": "start", "type": "start", "next": "both"},
        {
            "id": "both",
            "type": "fan_out",
            "branches": [{"name": "a", "next": "left"}, {"name": "b", "next": "right"}],
        },
        {"id": "left", "type": "wait_event", "event": "left", "next": "meet"},
        {"id": "right", "type": "wait_event", "event": "right", "next": "meet"},
        {"id": "meet", "type": "fan_in", "next": "end"},
        {"id": "end", "type": "end"},
    ],
}


CLOUD = {"specversion": "1.0", "id": "e1", "source": "/shop", "type": "payment", "subject": "7"}


def start(client: APIClient, workflow: str, headers: Any = None, **more: Any) -> Any:
    return client.post(RUNS, {"workflow": workflow, **more}, "json", headers=headers)


def send(client: APIClient, body: Any, media_type: str = "application/json", **headers: str) -> Any:
    return client.post(EVENTS, json.dumps(body), content_type=media_type, headers=headers)


def cloud(client: APIClient, body: Any, kind: str = "cloudevents") -> Any:
    """Send structured CloudEvents."""
    return send(client, body, f"application/{kind}+json; charset=UTF-8")


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Return the problem document of a response, which must be of this status and code."""
    assert response.status_code == status, (response.status_code, response.content)
    assert response["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["code"] == code, document
    assert document["type"] == f"/problems/{code}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document
