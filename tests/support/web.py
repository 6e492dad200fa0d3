"""A real web server for tests, on the test's own database, and requests to it."""

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from django.conf import settings

from project.processes import Child, wait_until
from tests.support import places
from tests.support.workers import environment_of_processes

_PATIENCE = 30  # seconds for one answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered with."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Web:
    """A running server."""

    port: int
    child: Child

    def get(self, path: str, token: str) -> Answer:
        return self._ask("GET", path, token, None)

    def post(self, path: str, token: str, body: Any) -> Answer:
        return self._ask("POST", path, token, body)

    def _ask(self, method: str, path: str, token: str, body: Any) -> Answer:
        link = HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
        try:
            text = None if body is None else json.dumps(body)
            link.request(method, path, body=text, headers=headers)
            answer = link.getresponse()
            return Answer(answer.status, json.loads(answer.read() or b"null"))
        finally:
            link.close()


@contextmanager
def web_on(**variables: str) -> Iterator[Web]:
    """Serve the project as in production, by threads of one process; it has stopped afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = (sys.executable, "-m", "gunicorn", "project.wsgi:application", "--no-control-socket")
    shape = ("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "8")
    environment = environment_of_processes(**variables)
    log = places.FOLDER / f"web-{port}.log"
    root = Path(settings.BASE_DIR)
    child = Child("web", (*command, *shape, "--log-level", "warning"), log, root, environment)
    child.start()
    try:
        wait_until(lambda: _is_open(port), seconds=60, child=child, every=0.1)
        yield Web(port, child)
    finally:
        child.stop()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
