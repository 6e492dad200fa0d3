"""Odd input is refused in words, at every surface: never a fault of the server."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from approvals.models import ApprovalRequest
from tests.integration.surfaces import odd
from tests.integration.surfaces.everything import row_of
from workflows import services
from workflows.errors import CeleriacError
from workflows.models import Question, Run, Secret

pytestmark = [pytest.mark.long, pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]

MODELS = sorted(site._registry, key=lambda model: model._meta.label)
Request = tuple[str, str, dict[str, Any]]
METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def faults(client: Client, requests: Iterable[Request]) -> list[str]:
    """Make every request; return those that the server failed in."""
    found = []
    for method, path, options in requests:
        answer = client.generic(method.upper(), path, **options)
        if answer.status_code >= 500:
            shown = {name: str(value)[:60] for name, value in options.items()}
            found.append(f"{answer.status_code} {method} {path[:120]} {shown}")
    return found


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_filter_of_a_list_fails(model: Any, parked: Run, root_client: Client) -> None:
    listed = address(model, "changelist")
    shown = root_client.get(listed)
    assert shown.status_code == 200
    names = odd.list_parameters(model, shown.context["cl"])
    queries = [f"{name}={value}" for name in names for value in odd.VALUES]
    queries += [f"{name}={value}" for name in odd.column_lookups(model) for value in ("%00", "[")]
    queries += [f"{value}={value}" for value in odd.VALUES]
    assert faults(root_client, [("get", f"{listed}?{query}", {}) for query in queries]) == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_page_of_a_row_fails(model: Any, parked: Run, root_client: Client) -> None:
    listed = address(model, "changelist")
    pages = [f"{listed}{value}/{page}/" for value in odd.VALUES if value for page in odd.ROW_PAGES]
    there = [address(model, page, row_of(model).pk) for page in odd.ROW_PAGES]
    pages += [f"{page}?{name}={value}" for page in there for name, value in odd.ROW_QUERIES]
    requests: list[Request] = [(method, page, {}) for page in pages for method in ("get", "post")]
    assert faults(root_client, requests) == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_action_fails(model: Any, parked: Run, root_client: Client) -> None:
    before = model.objects.count()
    row, listed = str(row_of(model).pk), address(model, "changelist")
    form = root_client.get(listed).context["action_form"]
    known = [name for name, _ in form.fields["action"].choices] if form else []
    forms = [
        {"action": action, "_selected_action": chosen, "index": index, "select_across": across}
        for action in [*known, "nonsense", "\0"]
        for chosen, index, across in odd.SELECTIONS
    ]
    forms += [{"action": action, "_selected_action": row, "\0": "x"} for action in known]
    failed = [form for form in forms if root_client.post(listed, form).status_code >= 500]
    assert [{name: value[:30] for name, value in form.items()} for form in failed] == []
    assert model.objects.count() == before


def test_no_suggestion_of_a_list_fails(parked: Run, root_client: Client) -> None:
    known = {
        "term": "shop",
        "app_label": "workflows",
        "model_name": "workflowversion",
        "field_name": "workflow",
    }
    assert root_client.get("/admin/autocomplete/", known).status_code == 200
    rest = "&".join(f"{name}={value}" for name, value in known.items())
    odd_ones = [f"{name}={value}" for name in [*known, "p"] for value in odd.VALUES]
    # The last of two is the one that counts.
    requests: list[Request] = [
        ("get", f"/admin/autocomplete/?{rest}&{each}", {}) for each in odd_ones
    ]
    assert faults(root_client, requests) == []


def test_no_form_of_a_page_fails(
    parked: Run,
    asked: ApprovalRequest,
    question: Question,
    root_client: Client,
    lena_client: Client,
) -> None:
    cancel = reverse("admin:workflows_run_cancel", args=[parked.pk])
    decide = reverse("approvals:request", args=[asked.pk])
    answer_to = address(Question, "change", question.pk)
    secret = address(Secret, "change", row_of(Secret).pk)
    kept = {"name": "other", "value": "battery staple"}
    pages = [
        (root_client, cancel, "reason", {}),
        *((lena_client, answer_to, f"field-{place}", {}) for place in range(4)),
        (lena_client, answer_to, "key", {"field-0": "1", "field-2": "", "field-3": ""}),
        *((root_client, secret, name, {}) for name in ("value", "hosts", "unknown")),
        *((root_client, address(Secret, "add"), name, kept) for name in ("name", "value", "hosts")),
        *((lena_client, decide, name, {"decision": "maybe"}) for name in ("key", "comment")),
        *((lena_client, decide, name, {}) for name in ("decision", "unknown")),
        (Client(raise_request_exception=False), reverse("approvals:login"), "username", {}),
        (Client(raise_request_exception=False), reverse("approvals:login"), "next", {}),
        (Client(raise_request_exception=False), reverse("admin:login"), "next", {}),
    ]
    for client, page, name, rest in pages:
        for value in ("\0", "a\0b", "\ufffd", "x" * 300_000, "", "[]"):
            answer = client.post(page, {**rest, name: value, "password": "x"})
            assert answer.status_code < 500, (page, name, value[:20])
    parked.refresh_from_db()
    asked.refresh_from_db()
    assert (parked.status, asked.status) == ("cancelled", "cancelled")


@pytest.mark.parametrize("key", ["\udcff", "a\0b", "k" * 201])
def test_no_key_of_an_answer_fails(asked: ApprovalRequest, question: Question, key: str) -> None:
    lena = User.objects.get(username="lena")
    given = {"decision": "approve", "data": {"n": 1}, "key": key}
    for run, wait in ((asked.run_id, asked.suspension_id), (question.run_id, question.pk)):
        with pytest.raises(CeleriacError, match="key"):
            services.answer(run, suspension=wait, answer=given, by=lena)
    with pytest.raises(CeleriacError, match="key"):
        services.answer_question(question.pk, {"n": 1}, by=lena, key=key)


@pytest.fixture
def addresses(parked: Run, asked: ApprovalRequest, question: Question) -> list[str]:
    ids = {"run_id": parked.pk, "request_id": asked.pk, "question_id": question.pk}
    return odd.api_addresses(**{name: str(key) for name, key in ids.items()})


def test_no_method_of_the_api_fails(addresses: list[str], root_client: Client) -> None:
    nobody = Client(raise_request_exception=False)
    requests: list[Request] = [(method, path, {}) for method in METHODS for path in addresses]
    assert faults(nobody, requests) == []
    assert faults(root_client, requests) == []
    for path in addresses:
        allowed = root_client.options(path)
        wanted = 401 if path.endswith("/logout/") else 204  # it takes the token that it ends
        assert (allowed.status_code, bool(allowed["Allow"])) == (wanted, True), path


def test_no_query_of_the_api_fails(addresses: list[str], root_client: Client) -> None:
    named = {path: odd.api_parameters() for path in addresses if path not in odd.DOCUMENTS}
    named |= dict.fromkeys(odd.DOCUMENTS, odd.OF_DOCUMENTS)  # they are long: spared the rest
    requests: list[Request] = [
        ("get", f"{path}?{name}={value}", {})
        for path, names in named.items()
        for name in (*names, "unknown", "%00")
        for value in odd.VALUES
    ]
    assert faults(root_client, requests) == []


def test_no_body_of_the_api_fails(addresses: list[str], root_client: Client) -> None:
    requests = [
        (method, path, {"data": body, "content_type": kind})
        for method in ("post", "put")
        for path in addresses
        for body in odd.BODIES
        for kind in odd.CONTENT_TYPES
    ]
    assert faults(root_client, requests) == []


def test_no_header_fails(addresses: list[str], parked: Run, root_client: Client) -> None:
    pages = ["/approvals/", "/approvals/login/", "/admin/", address(Run, "change", parked.pk)]
    session = root_client.cookies["sessionid"].value
    requests = [
        (method, path, {"headers": {"Cookie": f"sessionid={session}", **headers}})
        for method in ("get", "post")
        for path in [*addresses, *pages]
        for headers in odd.HEADERS
    ]
    assert faults(Client(raise_request_exception=False), requests) == []


def test_no_part_of_an_address_fails(addresses: list[str], root_client: Client) -> None:
    parts = {path.rpartition("/")[0].rpartition("/")[0] for path in addresses}
    paths = [f"{start}/{value}/" for start in parts for value in odd.VALUES]
    paths += [f"/{value}" for value in odd.VALUES] + [
        f"/approvals/{value}/" for value in odd.VALUES
    ]
    assert faults(root_client, [("get", path, {}) for path in paths]) == []
