"""The OpenAPI document, its page, and what schemathesis makes of both."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.drainage import GENERATOR_STATS
from hypothesis import HealthCheck, Phase, given, settings
from knox.models import AuthToken
from rest_framework.test import APIClient
from schemathesis.specs.openapi.checks import positive_data_acceptance

from project.wsgi import application
from tests.integration.api.asking import API, ORDER
from tests.support.builder import ask, end, workflow
from workflows.models import Suspension
from workflows.services import publish, start
from workflows.testing import Harness

pytestmark = pytest.mark.django_db
EXAMPLES = 25
#: What no schema of a body says: which documents compile, 64 bit, the longest duration, one of two.
DEEPER = {"value_refused", "definition_invalid", "duration", "nothing_to_change"}


@pytest.fixture
def document(anybody: APIClient) -> Any:
    GENERATOR_STATS.reset()
    return anybody.get(f"{API}/schema/?format=json").json()


def test_the_document_is_valid_and_made_without_a_warning(tmp_path: Any) -> None:
    file = tmp_path / "schema.yaml"
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(file))
    assert file.read_text().startswith("openapi: 3.1")


def test_every_operation_has_a_description_and_problems(document: Any) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), (method, path)
            refusal = operation["responses"]["4XX"]["content"]
            assert list(refusal) == ["application/problem+json"], (method, path)


def test_the_page_fetches_nothing_from_elsewhere(anybody: APIClient) -> None:
    page = anybody.get(f"{API}/docs/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    text = page.content.decode()
    sources = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)""", text)
    assert any("swagger-ui" in source for source in sources)
    assert all(source.startswith(("/", "data:")) for source in sources)
    assert not re.search(r"https?://", text)
    for source in sources:
        name = source.removeprefix("/static/")
        assert name == source or finders.find(name), source


@contextmanager
def one_connection() -> Iterator[None]:
    """Keep the test's connection open between requests, as Django's own test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def test_schemathesis_finds_nothing(document: Any) -> None:
    """Hostile and well-formed requests to every operation: no fault, and answers as described."""
    user = User.objects.create_superuser("thesis")
    _, token = AuthToken.objects.create(user=user)
    publish(json.dumps(ORDER))
    run = start("shop/order", {"order": "7"}).run
    publish(json.dumps(workflow("q", ask("ask"), end())))
    known = {"name": "shop/order", "number": 1, "run_id": str(run.pk), "question_id": _question()}
    config = schemathesis.Config()
    # Refused, as tests of ours say; no schema could say it of every text in a body.
    config.projects.default.generation.allow_x00 = False
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.app = application
    seen = Counter[str]()
    examiner = Examiner(f"Token {token}", known, seen)
    with one_connection():
        for operation in _operations(schema):
            for mode in schemathesis.GenerationMode:
                examiner.examine(operation, mode)
    assert min(seen["200"], seen["202"], seen["404"], seen["422"]) >= EXAMPLES
    assert seen["401"] <= 4 * EXAMPLES  # of logins with made-up names


def _question() -> str:
    """Return the id of a question that is asked."""
    with Harness.open() as engine:
        asking = engine.start("q")
        engine.jump(seconds=20)  # no commit, so no message: the sweeper finds it
    return str(Suspension.objects.get(run=asking).pk)


def _operations(schema: Any) -> list[Any]:
    """Return all operations but the one that would give our token back."""
    found = [operation.ok() for operation in schema.get_all_operations()]
    assert len(found) >= 15
    return [operation for operation in found if "logout" not in operation.path]


@dataclass(frozen=True)
class Examiner:
    """Asks an API with a token; `known` is what exists there, `seen` counts the answers."""

    token: str
    known: dict[str, Any]
    seen: Counter[str]

    def examine(self, operation: Any, mode: schemathesis.GenerationMode) -> None:
        is_sound = mode is schemathesis.GenerationMode.POSITIVE

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES,
            phases=[Phase.explicit, Phase.generate],
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            if is_sound:
                _lead_somewhere(case, self.known)
            headers = {"Authorization": self.token}
            answer = case.call(headers=headers)
            spared = [positive_data_acceptance] if _codes(answer) & DEEPER else []
            case.validate_response(answer, excluded_checks=spared, headers=headers)
            self.seen[str(answer.status_code)] += 1

        ask()


def _codes(answer: Any) -> set[str]:
    if answer.status_code != 422:
        return set()
    document = answer.json()
    return {document["code"], *(error["code"] for error in document["errors"])}


def _lead_somewhere(case: Any, known: dict[str, Any]) -> None:
    """Put what exists in the place of made-up names, and take out what must be unique or told."""
    case.path_parameters.update({k: known[k] for k in case.path_parameters or {} if k in known})
    (case.query or {}).pop("cursor", None)
    (case.headers or {}).pop("Idempotency-Key", None)
    if isinstance(case.body, dict) and "workflow" in case.body:
        case.body["workflow"] = known["name"]
        case.body.pop("key", None)
