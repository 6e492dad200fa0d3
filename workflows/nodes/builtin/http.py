"""`http`: calls a URL."""

import re
from typing import Any, Literal

from pydantic import Field

from workflows.context.paths import assign
from workflows.definition.fields import ContextPath, Template
from workflows.nodes.asking import ask_for
from workflows.nodes.base import Kind, NodeCall
from workflows.nodes.compensations import UndoableConfig, finished
from workflows.nodes.outcomes import Outcome
from workflows.nodes.secret_places import secret_places, secret_problems
from workflows.nodes.statuses import Status, status_problems, status_ranges
from workflows.nodes.suspensions import Resolution
from workflows.nodes.url_text import url_problems

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
#: They say how the message is framed and where it goes: the engine's business.
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te"})


class HttpConfig(UndoableConfig):
    """What an author writes for an `http` node."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = Field(
        "GET", description="Method of the request."
    )
    url: Template = Field(description="Template of the URL, `http://` or `https://`.")
    headers: Template = Field(
        default_factory=dict, description="Template of an object: names and values of headers."
    )
    query: Template = Field(
        default_factory=dict,
        description="Template of an object: parameters that are added to the URL, lists repeated.",
    )
    body: Template = Field(
        None, description="Template: text is sent as it is, anything else as JSON; null sends none."
    )
    expect: Status | list[Status] = Field(
        "2xx", description="Statuses that are no failure: `200`, `2xx`, `200-299`, or a list."
    )
    redirects: int = Field(
        0,
        ge=0,
        le=10,
        description="Most redirects that are followed, each checked; 0 follows none.",
    )
    idempotency_header: str = Field(
        "Idempotency-Key", description="Header with the step's key, the same in every attempt."
    )
    result: ContextPath = Field(
        "output", description="Where the answer is put: `{status, headers, body}`."
    )


class Http(Kind[HttpConfig]):
    """Calls a URL outside of any transaction, and puts the answer into the context.

    In `headers`, `query` and `body`, `{secret: name}` stands for a secret that only the worker
    reads, when it makes the call; `{secret: name, prefix: "Bearer "}` puts text before it.
    Addresses that are not public are refused when the connection is made. Without `timeout` an
    attempt may take HTTP_SECONDS (30).
    """

    name = "http"
    Config = HttpConfig

    def sets(self, config: HttpConfig) -> tuple[str, ...]:
        return (config.result,)

    def secrets(self, config: HttpConfig) -> dict[str, str]:
        return secret_places(_parts(config))

    def check(self, config: HttpConfig) -> list[tuple[str, str]]:
        problems = [("/expect", text) for text in status_problems(config.expect)]
        problems += url_problems(config.url, "/url")
        if not _HEADER.fullmatch(config.idempotency_header):
            problems.append(("/idempotency_header", "This is no name of a header."))
        problems += [
            (f"/{field}", f"`{field}` must be an object.")
            for field in ("headers", "query")
            if not isinstance(getattr(config, field), dict)
        ]
        if isinstance(config.headers, dict):
            problems += _header_problems(config.headers, config.idempotency_header)
        return problems + secret_problems(_parts(config), "")

    def run(self, call: NodeCall[HttpConfig]) -> Outcome:
        config = call.config
        shown = {"method": config.method, **call.render({"url": config.url, **_parts(config)})}
        given = {
            **shown,
            "secrets": self.secrets(config),
            "expect": status_ranges(config.expect),
            "redirects": config.redirects,
            "idempotency_header": config.idempotency_header,
        }
        return ask_for("http", call, given, shown=shown)

    def resume(self, call: NodeCall[HttpConfig], resolution: Resolution) -> Outcome:
        answer = resolution.payload
        return finished(call, assign(call.context, call.config.result, answer), answer)


def _parts(config: HttpConfig) -> dict[str, Any]:
    """Return the templates in which secrets may stand."""
    return {name: getattr(config, name) for name in ("headers", "query", "body")}


def _header_problems(headers: dict[str, Any], own: str) -> list[tuple[str, str]]:
    problems = []
    for name in headers:
        if not _HEADER.fullmatch(name):
            problems.append(("/headers", f"{name!r} is no name of a header."))
        elif name.lower() in _OURS or name.lower() == own.lower():
            problems.append(("/headers", f"The header {name!r} is set by the engine."))
    return problems
