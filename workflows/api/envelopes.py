"""The forms of events: CloudEvents 1.0 (structured, batch, binary), and our short form."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from workflows.api.bodies import CloudEventSerializer, ShortEventSerializer
from workflows.api.reading import read_body
from workflows.errors import InputRefusedError, Problem

MAX_BATCH = 100
_EXTENSION = re.compile(r"[a-z0-9]{1,100}")

#: Arguments of `send_event`; the type of the event is under `event_type`.
Sending = dict[str, Any]


def read_short(data: Any) -> Sending:
    """Read our short form. Raises InputRefusedError."""
    body = read_body(ShortEventSerializer, data)
    sending = {name: body[name] for name in ("key", "data", "source", "deliver")}
    return {
        **sending,
        "event_type": body["type"],
        "external_id": body.get("id"),
        "ttl": body.get("ttl"),
    }


def read_cloud_event(data: Any, *, at: str = "") -> Sending:
    """Read a structured CloudEvent; attributes that we do not know are extensions, and dropped.

    Args:
        data: the parsed body.
        at: JSON pointer of the event in the body.

    Raises:
        InputRefusedError: an attribute is missing or wrong, or the data is binary.
    """
    if not isinstance(data, Mapping):
        return read_body(CloudEventSerializer, data, at=at)  # refuses it
    known = set(CloudEventSerializer().fields)
    # An attribute that is null is absent, says the JSON format; `data` may really be null.
    told = {name: value for name, value in data.items() if name == "data" or value is not None}
    _refuse_extensions({name: told[name] for name in told if name not in known}, at)
    body = read_body(
        CloudEventSerializer, {name: told[name] for name in told if name in known}, at=at
    )
    return {
        "event_type": body["type"],
        "key": body.get("key") or body.get("subject", ""),
        "data": body["data"],
        "source": body["source"],
        "external_id": body["id"],
        "time": body.get("time"),
    }


def read_batch(data: Any) -> list[Sending]:
    """Read a batch of CloudEvents; one that is wrong refuses them all. Raises InputRefusedError."""
    if not isinstance(data, list) or len(data) > MAX_BATCH:
        message = f"A batch must be a list of at most {MAX_BATCH} events."
        raise InputRefusedError(message, [Problem("batch", message)])
    return [read_cloud_event(event, at=f"/{index}") for index, event in enumerate(data)]


def read_binary(headers: Mapping[str, str], data: Any) -> Sending:
    """Read a binary CloudEvent: attributes in `ce-` headers, the body is its data."""
    attributes = {
        name[3:].lower(): unquote(_as_text(value))
        for name, value in headers.items()
        if name.lower().startswith("ce-")
    }
    return read_cloud_event({**attributes, "data": data})


def _as_text(value: str) -> str:
    """Return a header as the UTF-8 that a client may have sent; WSGI reads it as Latin-1."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _refuse_extensions(extensions: Mapping[str, Any], at: str) -> None:
    problems = [
        Problem("extension", message, f"{at}/{name[:100]}")
        for name, value in extensions.items()
        if (message := _extension_fault(name, value))
    ]
    if problems:
        message = f"{problems[0].pointer}: {problems[0].message}"
        raise InputRefusedError(message, problems)


def _extension_fault(name: str, value: Any) -> str:
    if name == "data_base64":
        return "Binary data is not taken: send JSON as `data`."
    if not _EXTENSION.fullmatch(name):
        return "Attributes of CloudEvents have small letters and digits in their names."
    if isinstance(value, dict | list):
        return "Attributes of CloudEvents are text, numbers or booleans."
    return ""
