"""The approvals inbox of the admin."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from approvals import services
from approvals.models import ApprovalRequest, Vote
from tests.integration.approvals.asking import TICKET, Ask, Engine, People

pytestmark = pytest.mark.django_db

LIST = "/admin/approvals/approvalrequest/"


def staff(user: User) -> Client:
    user.is_staff = True
    user.save()
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, action: str, *rows: ApprovalRequest, **answer: Any) -> Any:
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(LIST, {**chosen, **answer}, follow=True)


def prefixes(page: Any) -> list[str]:
    """Return the prefixes of the forms on the page, one a different schema."""
    return re.findall(r'name="([0-9a-f]{12})-comment"', page.content.decode())


def test_staff_see_what_they_may_see(ask: Ask, people: People) -> None:
    mine, other = ask(title="For legal"), ask(title="For security", groups=["security"])
    client = staff(people.lena)
    page = client.get(LIST).content.decode()
    assert "For legal" in page
    assert "For security" not in page
    assert client.get(f"{LIST}{mine.pk}/change/").status_code == 200
    assert client.get(f"{LIST}{other.pk}/change/").status_code == 302
    people.charlie.user_permissions.add(Permission.objects.get(codename="view_approvalrequest"))
    assert "For security" in staff(people.charlie).get(LIST).content.decode()


def test_nothing_can_be_edited(ask: Ask, people: People) -> None:
    asked = ask()
    people.lena.is_superuser = True
    client = staff(people.lena)
    change = client.get(f"{LIST}{asked.pk}/change/").content.decode()
    assert 'name="_save"' not in change
    assert reverse("approvals:request", args=[asked.pk]) in change
    assert client.post(f"{LIST}{asked.pk}/change/", {"status": "approved"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{asked.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("inbox", "titles"), [("mine", {"A"}), ("asked", set()), ("overdue", {"B"})]
)
def test_the_inbox_filter(
    ask: Ask, people: People, clock: Any, inbox: str, titles: set[str]
) -> None:
    ask(title="A")
    late = ask(title="B", need="2", due_at=clock.now)
    services.decide(late.pk, user=people.lena, decision="approve")
    clock.jump(hours=1)
    page = staff(people.lena).get(LIST, {"inbox": inbox})
    assert {row.title for row in page.context["cl"].result_list} == titles


def test_approving_many_asks_first_then_decides_each(
    ask: Ask, people: People, engine: Engine
) -> None:
    rows = [ask(title="A", form=TICKET), ask(title="B", form=TICKET), ask(title="C")]
    client = staff(people.lena)
    page = act(client, "approve_selected", *rows)
    assert engine.answers == []
    with_form, without = prefixes(page)
    answer = {f"{with_form}-field-0": "T-1", f"{with_form}-comment": "Fine."}
    if f"{without}-field-0" in page.content.decode():
        answer = {f"{without}-field-0": "T-1"}
    told = act(client, "approve_selected", *rows, confirm="yes", **answer).content.decode()
    assert told.count("your answer (approve) is recorded") == 3
    assert {vote.form.get("ticket") for vote in Vote.objects.all()} == {"T-1", None}
    assert len(engine.answers) == 3


def test_each_row_is_decided_or_refused_on_its_own(
    ask: Ask, people: People, engine: Engine
) -> None:
    """Contract: Bulk decisions, each row decided or refused on its own."""
    taken, free = ask(title="Taken"), ask(title="Free")
    services.decide(taken.pk, user=people.liam, decision="approve")
    client = staff(people.lena)
    told = act(client, "reject_selected", taken, free, confirm="yes").content.decode()
    assert "“Taken” was not decided" in told
    assert "approved by liam" in told
    assert "“Free”: your answer (reject) is recorded." in told
    assert ApprovalRequest.objects.get(pk=free.pk).status == "rejected"


def test_a_form_that_does_not_fit_decides_nothing(ask: Ask, people: People, engine: Engine) -> None:
    rows = [ask(title="A", form=TICKET), ask(title="B")]
    page = act(staff(people.lena), "approve_selected", *rows, confirm="yes")
    assert "This field is required." in page.content.decode()
    assert engine.answers == []


def test_what_only_the_schema_knows_refuses_its_row(ask: Ask, people: People) -> None:
    form = {"type": "object", "properties": {"ticket": {"type": "string", "pattern": "^T-"}}}
    client = staff(people.lena)
    asked = ask(title="A", form=form)
    (prefix,) = prefixes(act(client, "approve_selected", asked))
    answer = {f"{prefix}-field-0": "X-1", "confirm": "yes"}
    assert (
        "“A” was not decided" in act(client, "approve_selected", asked, **answer).content.decode()
    )


def test_people_who_are_not_staff_have_no_admin(ask: Ask, people: People) -> None:
    client = Client()
    client.force_login(people.lena)
    assert client.get(LIST).status_code == 302
