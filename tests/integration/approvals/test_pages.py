"""The pages on which people decide."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from approvals import services
from approvals.models import ApprovalRequest, Vote
from tests.integration.approvals.asking import TICKET, Ask, Engine, People
from tests.support.builder import ask as user_input
from tests.support.builder import end, workflow
from workflows.testing import Harness

pytestmark = pytest.mark.django_db


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(asked: ApprovalRequest) -> str:
    return reverse("approvals:request", args=[asked.pk])


def text(response: Any) -> str:
    """Return what a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", response.content.decode()))


def test_the_inbox_lists_what_waits_for_me(ask: Ask, people: People) -> None:
    asked = ask(title="Refund order 7")
    ask(title="Look at the findings", groups=["security"])
    page = as_user(people.lena).get(reverse("approvals:inbox"))
    assert "Refund order 7" in text(page)
    assert "Look at the findings" not in text(page)
    assert page_of(asked) in page.content.decode()
    assert "No request waits" in text(as_user(people.charlie).get(reverse("approvals:inbox")))


def test_the_inbox_leads_staff_to_their_questions(people: People) -> None:
    with Harness.open() as engine:
        engine.publish(workflow("asking", user_input("ask", to={"groups": ["legal"]}), end()))
        engine.start("asking")
        engine.drain()
    inbox = reverse("approvals:inbox")
    questions = reverse("admin:workflows_question_changelist")
    assert questions not in as_user(people.lena).get(inbox).content.decode()
    User.objects.filter(pk=people.lena.pk).update(is_staff=True)
    page = as_user(people.lena).get(inbox)
    assert questions in page.content.decode()
    assert "Questions 1" in text(page)


def test_all_that_i_may_see(ask: Ask, people: People) -> None:
    services.decide(ask(title="Closed one").pk, user=people.lena, decision="approve")
    inbox = reverse("approvals:inbox")
    assert "Closed one" not in text(as_user(people.lena).get(inbox))
    assert "Closed one" in text(as_user(people.lena).get(inbox, {"show": "all"}))


def test_strangers_log_in_first_and_find_nothing(ask: Ask, people: People) -> None:
    asked = ask()
    to_login = Client().get(page_of(asked))
    assert to_login.status_code == 302
    assert to_login["Location"] == f"/approvals/login/?next={page_of(asked)}"
    assert as_user(people.charlie).get(page_of(asked)).status_code == 404
    assert as_user(people.charlie).post(page_of(asked), {"decision": "approve"}).status_code == 404


def test_logging_in_goes_on_to_the_request(ask: Ask, people: People) -> None:
    asked = ask()
    people.lena.set_password("open sesame 9")
    people.lena.save()
    known = {"username": "lena", "password": "open sesame 9", "next": page_of(asked)}
    assert Client().post("/approvals/login/", known)["Location"] == page_of(asked)
    elsewhere = {**known, "next": "https://example.org/"}
    assert Client().post("/approvals/login/", elsewhere)["Location"] == "/approvals/"


def test_the_page_shows_what_was_chosen_and_changes_nothing(ask: Ask, people: People) -> None:
    """Contract: `show`: context paths the approver may see."""
    shown = {"order": {"id": 7, "lines": [{"name": "Tea", "price": 3}]}}
    asked = ask(title="Refund order 7", shown=shown, form=TICKET)
    page = as_user(people.lena).get(page_of(asked))
    for words in ("Refund order 7", "alice", "Tea", "members of legal", "Ticket", "Comment"):
        assert words in text(page)
    assert "no-store" in page["Cache-Control"]
    assert Vote.objects.count() == 0


def test_nothing_that_is_shown_becomes_markup(ask: Ask, people: People) -> None:
    evil = "<script>alert(1)</script>"
    form = {"type": "object", "properties": {evil: {"type": "string", "description": evil}}}
    asked = ask(title=evil, shown={evil: [evil, {"a": evil}], "b": [{evil: evil}]}, form=form)
    page = as_user(people.lena).get(page_of(asked)).content.decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_approving_with_the_form(ask: Ask, people: People, engine: Engine) -> None:
    asked = ask(form=TICKET)
    answer = {"decision": "approve", "field-0": "T-1", "comment": "Fine.", "key": "k1"}
    client = as_user(people.lena)
    assert client.post(page_of(asked), answer).status_code == 302
    assert engine.answers[0][1]["form"] == {"ticket": "T-1"}
    after = text(client.get(page_of(asked)))
    assert "Your decision is recorded." in after
    assert "Approved by lena" in after
    assert "Fine." in after
    assert client.post(page_of(asked), answer).status_code == 302  # a doubled click
    assert Vote.objects.count() == 1


def test_rejecting_without_the_form(ask: Ask, people: People, engine: Engine) -> None:
    asked = ask(form=TICKET)
    as_user(people.lena).post(page_of(asked), {"decision": "reject", "comment": "No."})
    assert engine.answers[0][1]["decision"] == "rejected"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"decision": "approve", "field-0": ""}, "This field is required."),
        ({"decision": "approve", "field-0": "T"}, "at least 3 characters"),
        ({"decision": "maybe", "field-0": "T-1"}, "it can be &#x27;approve&#x27;"),
    ],
)
def test_mistakes_are_said_on_the_page(
    ask: Ask, people: People, answer: dict[str, str], words: str
) -> None:
    page = as_user(people.lena).post(page_of(ask(form=TICKET)), answer)
    assert page.status_code == 422
    assert words in text(page)
    assert Vote.objects.count() == 0


def test_what_the_schema_alone_knows_is_said_at_the_field(ask: Ask, people: People) -> None:
    form = {"type": "object", "properties": {"ticket": {"type": "string", "pattern": "^T-"}}}
    page = as_user(people.lena).post(
        page_of(ask(form=form)), {"decision": "approve", "field-0": "X-1"}
    )
    assert page.status_code == 422
    assert 'class="errors"' in page.content.decode()


def test_too_late_shows_who_was_first(ask: Ask, people: People) -> None:
    asked = ask()
    services.decide(asked.pk, user=people.lena, decision="approve")
    page = as_user(people.liam).post(page_of(asked), {"decision": "reject"})
    assert page.status_code == 409
    assert "approved by lena" in text(page)
    assert 'name="decision"' not in page.content.decode()


def test_who_may_not_decide_reads_why_and_has_no_buttons(ask: Ask, people: People) -> None:
    asked = ask()
    page = as_user(people.alice).get(page_of(asked))
    assert "asked for this decision and may not take it" in text(page)
    assert 'name="decision"' not in page.content.decode()
    assert as_user(people.alice).post(page_of(asked), {"decision": "approve"}).status_code == 403


def test_a_forged_post_is_refused(ask: Ask, people: People) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.lena)
    assert client.post(page_of(ask()), {"decision": "approve"}).status_code == 403


def test_progress_of_a_quorum(ask: Ask, people: People) -> None:
    asked = ask(need="2")
    services.decide(asked.pk, user=people.lena, decision="approve")
    page = text(as_user(people.lena).get(page_of(asked)))
    assert "1 of 2 approvals" in page
    assert "You have answered" in page


def test_what_approving_requires_is_marked(ask: Ask, people: People) -> None:
    page = as_user(people.lena).get(page_of(ask(form=TICKET)))
    assert text(page).count("(required to approve)") == 1
    assert "* marks what is required to approve." in text(page)
    assert "Comment optional" in text(page)
    assert "marks what is required" not in text(as_user(people.lena).get(page_of(ask())))


def test_what_was_filled_in_has_the_labels_of_the_form(ask: Ask, people: People) -> None:
    form = {"properties": {"cost_code": {"type": "string", "title": "Who pays"}}}
    asked = ask(form=form)
    services.decide(
        asked.pk, user=people.lena, decision="approve", form={"cost_code": "X1"}, comment=""
    )
    assert "Who paysX1" in text(as_user(people.lena).get(page_of(asked)))
