"""Who may do what in the admin: every page and action, for five sorts of people."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from approvals.models import ApprovalRequest
from tests.integration.surfaces.conftest import SECRET
from tests.integration.surfaces.everything import everything, row_of
from workflows.models import Question, Run, Secret

pytestmark = pytest.mark.django_db(transaction=True)

OURS = sorted(
    (model for model in site._registry if model._meta.app_label in {"workflows", "approvals"}),
    key=lambda model: model._meta.label,
)
#: Each may do more than the one before; all but the last two are refused whatever would change.
SORTS = ("anonymous", "not staff", "staff", "viewer", "permitted", "superuser")
LOGIN = 302  # to the login page
#: What a table of the engine answers to each sort, by page. Nobody edits, whatever they may.
PAGES: dict[str, tuple[int, ...]] = {
    "changelist": (LOGIN, LOGIN, 403, 200, 200, 200),
    "change": (LOGIN, LOGIN, 403, 200, 200, 200),
    "history": (LOGIN, LOGIN, 403, 200, 200, 200),
    "delete": (LOGIN, LOGIN, 403, 403, 403, 403),
    "add": (LOGIN, LOGIN, 403, 403, 403, 403),
}
#: The inbox is for all staff, who see what they may see; here `staff` is asked nothing, so that
#: the request is not found and leads back to the index.
BACK = 302
INBOX: dict[str, tuple[int, ...]] = {
    "changelist": (LOGIN, LOGIN, 200, 200, 200, 200),
    "change": (LOGIN, LOGIN, BACK, 200, 200, 200),
    "history": (LOGIN, LOGIN, BACK, 200, 200, 200),
    "delete": (LOGIN, LOGIN, 403, 403, 403, 403),
    "add": (LOGIN, LOGIN, 403, 403, 403, 403),
}
#: So are questions; but one that is not for them is not found.
QUESTIONS: dict[str, tuple[int, ...]] = {
    "changelist": (LOGIN, LOGIN, 200, 200, 200, 200),
    "change": (LOGIN, LOGIN, 404, 404, 200, 200),
    "history": (LOGIN, LOGIN, BACK, BACK, 200, 200),
    "delete": (LOGIN, LOGIN, 403, 403, 403, 403),
    "add": (LOGIN, LOGIN, 403, 403, 403, 403),
}
#: Secrets are the one table that is edited here.
SECRETS: dict[str, tuple[int, ...]] = {
    "changelist": (LOGIN, LOGIN, 403, 200, 200, 200),
    "change": (LOGIN, LOGIN, 403, 200, 200, 200),
    "history": (LOGIN, LOGIN, 403, 200, 200, 200),
    "delete": (LOGIN, LOGIN, 403, 403, 200, 200),
    "add": (LOGIN, LOGIN, 403, 403, 200, 200),
}
TABLES: dict[Any, dict[str, tuple[int, ...]]] = {
    ApprovalRequest: INBOX,
    Question: QUESTIONS,
    Secret: SECRETS,
}
#: The forms that the permitted are given.
FORMS = {(Question, "change"), (Secret, "change"), (Secret, "add")}
EDITORS = {"permitted", "superuser"}
Browser = Callable[[str], Client]


@pytest.fixture
def browser_of(parked: Run) -> Browser:
    """Log somebody of one sort in; `permitted` has every permission, and is in the group asked."""

    def log_in(sort: str) -> Client:
        client = Client()
        if sort == "anonymous":
            return client
        user = User.objects.create(username=sort, is_staff=sort != "not staff")
        ours = Permission.objects.filter(content_type__app_label__in=("workflows", "approvals"))
        if sort == "viewer":
            user.user_permissions.set(ours.filter(codename__startswith="view_"))
        elif sort in {"permitted", "not staff"}:
            user.user_permissions.set(ours)
        if sort == "permitted":
            user.groups.add(Group.objects.get(name="legal"))
        user.is_superuser = sort == "superuser"
        user.save()
        client.force_login(user)
        return client

    return log_in


def pages_of(model: Any) -> Iterator[tuple[str, str]]:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = row_of(model).pk
    for page in PAGES:
        given = () if page in {"changelist", "add"} else (row,)
        yield page, reverse(f"{name}_{page}", args=given)


@pytest.mark.parametrize("sort", SORTS)
def test_pages(sort: str, browser_of: Browser) -> None:
    client, place = browser_of(sort), SORTS.index(sort)
    before = everything()
    for model in OURS:
        table = TABLES.get(model, PAGES)
        for page, address in pages_of(model):
            answer = client.get(address)
            assert answer.status_code == table[page][place], address
            assert SECRET not in answer.content.decode(), address
            leads_to_login = "/admin/login/" in answer.headers.get("Location", "")
            assert leads_to_login == (place < 2), address
    assert everything() == before


@pytest.mark.parametrize("sort", SORTS)
def test_forms_that_would_edit(sort: str, browser_of: Browser) -> None:
    client = browser_of(sort)
    refusals = {LOGIN} if sort in {"anonymous", "not staff"} else {403, BACK, 404, 405}
    fields = {"status": "completed", "state": "ended", "title": "x", "post": "yes"}
    fields |= {"name": "x", "value": "abc", "hosts": "https://x/", "field-0": "no number"}
    before = everything()
    for model in OURS:
        for page, address in pages_of(model):
            if sort in EDITORS and (model, page) == (Secret, "delete"):
                continue  # it would be done
            answer = client.post(address, fields)
            if sort in EDITORS and (model, page) in FORMS:
                assert answer.status_code == 200, address
                assert 'class="errorlist"' in answer.content.decode(), address
                continue
            # A list takes it for an action without a name, and a history shows itself.
            allowed = {200} if page in {"changelist", "history"} else set()
            assert answer.status_code in refusals | allowed, address
        (_, listed), *_ = pages_of(model)
        chosen = {"_selected_action": str(row_of(model).pk), "post": "yes"}
        for action in ("delete_selected", "nonsense", ""):
            if not (sort in EDITORS and model is Secret and action == "delete_selected"):
                client.post(listed, {"action": action, **chosen})
    assert everything() == before


@pytest.mark.parametrize("page", ["change", "add", "delete", "many"])
@pytest.mark.parametrize("sort", SORTS)
def test_editing_secrets(sort: str, page: str, browser_of: Browser) -> None:
    client, addresses = browser_of(sort), dict(pages_of(Secret))
    before = everything()
    if page == "many":
        chosen = {"action": "delete_selected", "_selected_action": str(row_of(Secret).pk)}
        client.post(addresses["changelist"], {**chosen, "post": "yes"})
    else:
        client.post(addresses[page], {"name": "other", "value": "battery staple", "post": "yes"})
    assert (everything() != before) == (sort in EDITORS)
    left = {"change": ["api"], "add": ["api", "other"]}.get(page, [])
    names = list(Secret.objects.values_list("name", flat=True))
    assert names == (left if sort in EDITORS else ["api"])


#: The status and whether the question is answered, by sort.
ANSWER = dict(
    zip(
        SORTS,
        [(LOGIN, 0), (LOGIN, 0), (404, 0), (404, 0), (BACK, 1), (BACK, 1)],
        strict=True,
    )
)


@pytest.mark.parametrize("sort", SORTS)
def test_answering(sort: str, browser_of: Browser, question: Question) -> None:
    client, (status, answered) = browser_of(sort), ANSWER[sort]
    before = everything()
    answer = client.post(dict(pages_of(Question))["change"], {"field-0": "1", "key": "k"})
    assert answer.status_code == status
    assert (everything() != before) == bool(answered)
    question.refresh_from_db()
    assert (question.answered_by == sort) == bool(answered)


#: The status and whether the run is cancelled, by sort.
CANCEL = dict(
    zip(
        SORTS,
        [(LOGIN, 0), (LOGIN, 0), (403, 0), (403, 0), (BACK, 1), (BACK, 1)],
        strict=True,
    )
)


@pytest.mark.parametrize("sort", SORTS)
def test_cancelling_one(sort: str, browser_of: Browser, parked: Run) -> None:
    client, (status, cancelled) = browser_of(sort), CANCEL[sort]
    address = reverse("admin:workflows_run_cancel", args=[parked.pk])
    before = everything()
    client.get(address)  # whoever asks
    assert everything() == before
    assert client.post(address, {"reason": "No need."}).status_code == status
    assert (everything() != before) == bool(cancelled)
    parked.refresh_from_db()
    assert (parked.status == "cancelled") == bool(cancelled)


#: The status of the list's answer: what is no choice of theirs is passed over, with a message.
CANCEL_MANY = dict(
    zip(
        SORTS,
        [(LOGIN, 0), (LOGIN, 0), (403, 0), (200, 0), (BACK, 1), (BACK, 1)],
        strict=True,
    )
)


@pytest.mark.parametrize("sort", SORTS)
def test_cancelling_many(sort: str, browser_of: Browser, parked: Run) -> None:
    client, (status, cancelled) = browser_of(sort), CANCEL_MANY[sort]
    chosen = {"action": "cancel_selected", "_selected_action": str(parked.pk)}
    before = everything()
    answer = client.post(reverse("admin:workflows_run_changelist"), chosen)
    assert answer.status_code == status
    assert (everything() != before) == bool(cancelled)
    parked.refresh_from_db()
    assert (parked.status == "cancelled") == bool(cancelled)


#: Only membership of the group that is asked lets anybody decide: no permission does.
DECIDE = dict(
    zip(
        SORTS,
        [(LOGIN, 0), (LOGIN, 0), (BACK, 0), (BACK, 0), (BACK, 1), (BACK, 0)],
        strict=True,
    )
)


@pytest.mark.parametrize("word", ["approve", "reject"])
@pytest.mark.parametrize("sort", SORTS)
def test_deciding_many(sort: str, word: str, browser_of: Browser, asked: ApprovalRequest) -> None:
    client, (status, decided) = browser_of(sort), DECIDE[sort]
    listed = reverse("admin:approvals_approvalrequest_changelist")
    chosen = {"action": f"{word}_selected", "_selected_action": str(asked.pk)}
    before = everything()
    client.post(listed, chosen)  # the page that asks for a comment
    assert everything() == before
    assert client.post(listed, {**chosen, "confirm": "yes"}).status_code == status
    assert (everything() != before) == bool(decided)
    asked.refresh_from_db()
    assert (asked.status == "open") == (not decided)


@pytest.mark.parametrize("sort", SORTS)
def test_deciding_on_the_page(sort: str, browser_of: Browser, asked: ApprovalRequest) -> None:
    client = browser_of(sort)
    statuses = {"anonymous": 302, "not staff": 403, "viewer": 403, "superuser": 403}
    before = everything()
    answer = client.post(reverse("approvals:request", args=[asked.pk]), {"decision": "approve"})
    expected = {**statuses, "staff": 404, "permitted": 302}[sort]
    assert answer.status_code == expected
    assert (everything() != before) == (sort == "permitted")


@pytest.mark.parametrize("sort", ["permitted", "superuser"])
def test_a_form_from_elsewhere_changes_nothing(
    sort: str, browser_of: Browser, parked: Run, question: Question
) -> None:
    known = browser_of(sort)
    client = Client(enforce_csrf_checks=True)
    client.cookies = known.cookies
    asked = ApprovalRequest.objects.order_by("title")[0]
    before = everything()
    chosen = {"_selected_action": str(parked.pk), "action": "cancel_selected"}
    forms: tuple[tuple[str, dict[str, Any]], ...] = (
        (dict(pages_of(Question))["change"], {"field-0": "1", "key": "k"}),
        (dict(pages_of(Secret))["add"], {"name": "other", "value": "battery staple"}),
        (f"/api/v1/questions/{question.pk}/answer/", {"data": {"n": 1}}),
        (reverse("admin:workflows_run_cancel", args=[parked.pk]), {}),
        (reverse("admin:workflows_run_changelist"), chosen),
        (reverse("approvals:request", args=[asked.pk]), {"decision": "approve"}),
        (f"/api/v1/runs/{parked.pk}/cancel/", {}),
        (f"/api/v1/approvals/{asked.pk}/decide/", {"decision": "approve"}),
    )
    for address, form in forms:
        if address.startswith("/api/"):
            answer = client.post(address, form, content_type="application/json")
        else:
            answer = client.post(address, form)
        assert answer.status_code == 403, address
    assert everything() == before


@pytest.mark.parametrize("sort", SORTS)
def test_the_index_lists_what_they_may_see(sort: str, browser_of: Browser) -> None:
    answer = browser_of(sort).get(reverse("admin:index"))
    if sort in {"anonymous", "not staff"}:
        assert answer.status_code == LOGIN
        return
    page = answer.content.decode()
    assert "/admin/approvals/approvalrequest/" in page
    assert ("/admin/workflows/run/" in page) == (sort != "staff")
    assert "/admin/workflows/question/" in page
    assert ("/admin/workflows/secret/" in page) == (sort != "staff")
    assert ("/admin/auth/user/" in page) == (sort == "superuser")
    added = set(re.findall(r"/admin/(?:workflows|approvals)/\w+/add/", page))
    assert added == ({"/admin/workflows/secret/add/"} if sort in EDITORS else set())
    assert "addlink" not in page or sort in EDITORS


@pytest.mark.parametrize("sort", SORTS)
def test_what_a_list_suggests_is_for_those_who_may_see_it(sort: str, browser_of: Browser) -> None:
    query = "app_label=workflows&model_name=workflowversion&field_name=workflow"
    answer = browser_of(sort).get(f"/admin/autocomplete/?term=shop&{query}")
    expected = {"anonymous": LOGIN, "not staff": LOGIN, "staff": 403}.get(sort, 200)
    assert answer.status_code == expected
