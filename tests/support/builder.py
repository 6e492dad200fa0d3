"""Definitions in a few words, for tests."""

from typing import Any

Node = dict[str, Any]


def workflow(name: str, *nodes: Node, **fields: Any) -> dict[str, Any]:
    """Return a definition: a start, then `nodes` in which each goes on to the one after it.

    A node that says where it goes (`next`, even None) goes there; an `end` ends.
    """
    chained = [{"id": "start", "type": "start"}, *(dict(node) for node in nodes)]
    for node, following in zip(chained, [*chained[1:], None], strict=True):
        if "next" not in node and node["type"] not in {"end", "fail", "switch"} and following:
            node["next"] = following["id"]
    return {"workflow": name, "nodes": [_without_none(node) for node in chained], **fields}


def _without_none(node: Node) -> Node:
    return {key: value for key, value in node.items() if not (key == "next" and value is None)}


def activity(id_: str, name: str, **fields: Any) -> Node:
    return {"id": id_, "type": "activity", "activity": name, **fields}


def edit(id_: str, *, next: Any = ..., **values: Any) -> Node:  # noqa: A002
    """Set each key to its value; `a__b` stands for the path `a.b`."""
    node = {
        "id": id_,
        "type": "edit",
        "entries": [
            {"set": key.replace("__", "."), "value": value} for key, value in values.items()
        ],
    }
    return node if next is ... else {**node, "next": next}


def end(id_: str = "end", **fields: Any) -> Node:
    return {"id": id_, "type": "end", **fields}


def delay(id_: str, duration: str, **fields: Any) -> Node:
    return {"id": id_, "type": "delay", "for": duration, **fields}


def fan_out(id_: str, **branches: str | None) -> Node:
    """Split into named branches; None leaves one unconnected."""
    parts = [
        {"name": name, "next": start} if start else {"name": name}
        for name, start in branches.items()
    ]
    return {"id": id_, "type": "fan_out", "branches": parts, "next": None}


def race(id_: str, *, next: str | None = None, **branches: str) -> Node:  # noqa: A002
    """Let named branches race."""
    parts = [{"name": name, "next": start} for name, start in branches.items()]
    return {"id": id_, "type": "race", "branches": parts, "next": next}


def fan_in(id_: str, **fields: Any) -> Node:
    return {"id": id_, "type": "fan_in", **fields}


def each(id_: str, process: str | None, items: str = "items", **fields: Any) -> Node:
    """Map over a list."""
    return {"id": id_, "type": "map", "items": items, "process": process, **fields}


def batch(id_: str, process: str | None, items: str = "items", **fields: Any) -> Node:
    return {"id": id_, "type": "batch", "items": items, "process": process, **fields}


def wait_event(id_: str, event: str, **fields: Any) -> Node:
    return {"id": id_, "type": "wait_event", "event": event, **fields}


def switch(id_: str, default: str, **choices: str) -> Node:
    """Go to a choice's node when its condition holds: `switch("s", "else", then="n > 1.0")`."""
    listed = [{"when": when, "next": target} for target, when in choices.items()]
    return {"id": id_, "type": "switch", "choices": listed, "default": default}


def emit(id_: str, event: str, **fields: Any) -> Node:
    return {"id": id_, "type": "emit", "event": event, **fields}


def ask(id_: str, prompt: str = "Well?", **fields: Any) -> Node:
    """Ask a person."""
    return {"id": id_, "type": "user_input", "prompt": prompt, **fields}


def celery_task(id_: str, task: str, **fields: Any) -> Node:
    return {"id": id_, "type": "celery_task", "task": task, **fields}


def gosub(id_: str, name: str, **fields: Any) -> Node:
    """Run another workflow as a child."""
    return {"id": id_, "type": "gosub", "workflow": name, **fields}


def http(id_: str, url: str, **fields: Any) -> Node:
    return {"id": id_, "type": "http", "url": url, **fields}


def code(id_: str, source: str, **fields: Any) -> Node:
    return {"id": id_, "type": "code", "source": source, **fields}


def command(id_: str, *words: str, **fields: Any) -> Node:
    return {"id": id_, "type": "command", "command": list(words), **fields}
