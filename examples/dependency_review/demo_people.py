"""The two demo people who decide, each over the REST API with a login of their own."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

JSONObject = dict[str, Any]
TIMEOUT = 30.0  # seconds for one answer of the API
LESSER = ("LGPL", "Lesser")


class ApiRefusedError(Exception):
    """The API answered with a problem; the text is its title and detail."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answers to one approval request."""

    decision: str  # approve or reject
    comment: str
    form: Mapping[str, str]


@dataclass(slots=True)
class Api:
    """The REST API at a base URL, as one person uses it."""

    url: str
    authorization: str = field(default="", repr=False)

    def log_in(self, name: str, password: str) -> None:
        """Exchange name and password for a token."""
        basic = b64encode(f"{name}:{password}".encode()).decode()
        self.authorization = f"Basic {basic}"
        token = self.send("POST", "/api/v1/auth/login/")["token"]
        self.authorization = f"Token {token}"

    def send(
        self, method: str, path: str, *, body: JSONObject | None = None, key: str = ""
    ) -> JSONObject:
        """Return the JSON that the API answers. Raises ApiRefusedError."""
        link = HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT)
        headers = {"Authorization": self.authorization, "Accept": "application/json"}
        headers |= {"Idempotency-Key": key} if key else {}
        headers |= {} if body is None else {"Content-Type": "application/json"}
        try:
            link.request(method, path, None if body is None else json.dumps(body), headers)
            answer = link.getresponse()
            return _read(answer.status, answer.read(), f"{method} {path}")
        finally:
            link.close()


@dataclass(slots=True)
class Reviewer:
    """A person with a rule of their own; `decide` answers all that waits for them in one run."""

    name: str
    api: Api
    answer: Callable[[JSONObject], Answer]

    def decide(self, run: str) -> list[tuple[str, Answer]]:
        """Answer the open requests of the run that are theirs, a page of them; tell each answer."""
        query = urlencode({"mine": "true", "run": run})
        asked = self.api.send("GET", f"/api/v1/approvals/?{query}")["results"]
        return [(request["title"], self._decide_one(request)) for request in asked]

    def _decide_one(self, request: JSONObject) -> Answer:
        answer = self.answer(request)
        body = {
            "decision": answer.decision,
            "comment": answer.comment,
            "form": dict(answer.form),
        }
        path = f"/api/v1/approvals/{request['id']}/decide/"
        # The same key if the same answer is ever sent twice: it is one decision.
        self.api.send("POST", path, body=body, key=f"demo-{self.name}-{request['id']}")
        return answer


def answer_of_legal(request: JSONObject) -> Answer:
    """Approve what is the lesser kind of a licence, reject everything else."""
    licence = request["shown"]["question"]["licence"]
    if any(word in licence for word in LESSER):
        return Answer("approve", "Fine for a dependency.", {"ticket": "LEGAL-1"})
    return Answer("reject", "Not without a talk.", {"ticket": "LEGAL-2"})


def answer_of_security(request: JSONObject) -> Answer:
    """Reject when a file is gone or changed; a package without a RECORD alone is let pass."""
    findings = request["shown"]["found.integrity"]
    if any(each["missing"] or each["mismatched"] for each in findings):
        return Answer("reject", "Files are not as they were installed.", {"ticket": "SEC-2"})
    return Answer("approve", "Nothing to compare with.", {"ticket": "SEC-1"})


def _read(status: int, content: bytes, what: str) -> JSONObject:
    try:
        answer = json.loads(content or b"{}")
    except ValueError:
        answer = {}
    if status >= 400 or not isinstance(answer, dict):
        known = answer if isinstance(answer, dict) else {}
        reason = known.get("detail") or known.get("title") or "no reason given"
        raise ApiRefusedError(f"{what} was answered with {status}: {reason}")
    return answer
