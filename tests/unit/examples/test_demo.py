"""The demo's people, its tables, and how it refuses a folder."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.console import Console

from examples.dependency_review import demo, demo_begin
from examples.dependency_review.demo_people import (
    Api,
    ApiRefusedError,
    Reviewer,
    answer_of_legal,
    answer_of_security,
)
from examples.dependency_review.demo_view import show_report
from examples.dependency_review.report import Report


@pytest.mark.parametrize(
    ("licence", "decision"),
    [
        ("LGPL-3.0-only", "approve"),
        ("GNU Lesser General Public License v3 (LGPLv3)", "approve"),
        ("GNU Lesser General Public License", "approve"),
        ("GPL-3.0-only", "reject"),
        ("AGPL-3.0-or-later", "reject"),
        ("unknown", "reject"),
    ],
)
def test_legal_approves_the_lesser_licence_only(licence: str, decision: str) -> None:
    answer = answer_of_legal({"shown": {"question": {"licence": licence}}})
    assert answer.decision == decision
    assert answer.form["ticket"].startswith("LEGAL-")


@pytest.mark.parametrize(
    ("findings", "decision"),
    [
        ([{"missing": ["x"], "mismatched": [], "record": True}], "reject"),
        ([{"missing": [], "mismatched": ["x"], "record": True}], "reject"),
        ([{"missing": [], "mismatched": [], "record": False}], "approve"),
    ],
)
def test_security_rejects_what_is_missing_or_mismatched(
    findings: list[dict[str, Any]], decision: str
) -> None:
    assert answer_of_security({"shown": {"found.integrity": findings}}).decision == decision


class FakeApi(BaseHTTPRequestHandler):
    """Answers as the REST API does, and keeps what it was asked."""

    asked: ClassVar[list[tuple[str, str, dict[str, str], Any]]] = []
    waiting: ClassVar[Any] = {
        "id": "r1",
        "title": "Licence LGPL",
        "shown": {"question": {"licence": "LGPL"}},
    }

    def do_GET(self) -> None:
        self._answer({"results": [self.waiting]})

    def do_POST(self) -> None:
        if self.path.endswith("login/"):
            self._answer({"token": "secret-token"})
        elif self.path.endswith("/broken/"):
            self._answer({"title": "Conflict", "detail": "It was decided."}, 409)
        else:
            self._answer({"status": "approved"})

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, body: Any, status: int = 200) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        given = json.loads(self.rfile.read(length)) if length else None
        self.asked.append((self.command, self.path, dict(self.headers), given))
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving() -> Iterator[str]:
    FakeApi.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeApi) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_reviewer_logs_in_lists_and_decides_with_a_key() -> None:
    with serving() as url:
        api = Api(url)
        api.log_in("lena", "pass word")
        decided = Reviewer("lena", api, answer_of_legal).decide("run-1")
    assert [(title, answer.decision) for title, answer in decided] == [("Licence LGPL", "approve")]
    login, listed, voted = FakeApi.asked
    assert login[2]["Authorization"] == "Basic bGVuYTpwYXNzIHdvcmQ="
    assert listed[:2] == ("GET", "/api/v1/approvals/?mine=true&run=run-1")
    assert listed[2]["Authorization"] == "Token secret-token"
    assert voted[:2] == ("POST", "/api/v1/approvals/r1/decide/")
    assert voted[2]["Idempotency-Key"] == "demo-lena-r1"
    assert voted[3] == {
        "decision": "approve",
        "comment": "Fine for a dependency.",
        "form": {"ticket": "LEGAL-1"},
    }
    assert "secret-token" not in repr(api)


def test_a_problem_of_the_api_is_told_in_one_line() -> None:
    with serving() as url, pytest.raises(ApiRefusedError) as refusal:
        Api(url).send("POST", "/broken/", body={})
    assert str(refusal.value) == "POST /broken/ was answered with 409: It was decided."


REPORT: Report = {
    "environment": "/site",
    "packages": 2,
    "files": 1234567,
    "bytes": 5,
    "native": 1,
    "licences": {"MIT [bold]": 1, "GPL": 1},
    "unreadable": [{"folder": "x-1.dist-info", "reason": "there is no METADATA file"}],
    "flagged": {
        "licence": [{"name": "g", "version": "1", "licence": "GPL", "reason": "not_allowed"}],
        "integrity": [
            {"name": "t", "version": "2", "missing": [], "mismatched": ["t/a.py"], "record": True}
        ],
    },
    "decisions": [
        {"group": "legal", "about": "GPL", "decision": "rejected", "packages": ["g"], "by": "lena"}
    ],
    "accepted": False,
}


def test_the_tables_show_everything_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(Console(width=100), REPORT)
    text = capsys.readouterr().out
    for word in [
        "/site",
        "1,234,567",
        "MIT [bold]",
        "x-1.dist-info",
        "not_allowed",
        "t/a.py",
        "rejected",
        "lena",
        "The review rejected this environment.",
    ]:
        assert word in text


def test_a_report_without_findings_says_none(capsys: pytest.CaptureFixture[str]) -> None:
    nothing: Any = {"unreadable": [], "flagged": {"licence": [], "integrity": []}, "decisions": []}
    show_report(Console(width=100), {**REPORT, **nothing, "accepted": True})
    text = capsys.readouterr().out
    assert text.count("none") == 4
    assert "The review accepted this environment." in text


@pytest.mark.parametrize(("folder", "words"), [("nowhere", "There is no"), ("", "No *.dist-info")])
def test_a_bad_site_is_one_line_and_code_2_before_anything_starts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    folder: str,
    words: str,
) -> None:
    monkeypatch.setattr(demo_begin, "_review", lambda _listing: pytest.fail("it was started"))
    assert demo.main(["--site", str(tmp_path / folder)]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"demo: {words}")
    assert message.count("\n") == 1
    assert str(tmp_path / folder) in message
