"""Questions in the admin: the inbox of the person who looks, and the page to answer."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from tests.support.builder import ask, end, fan_in, fan_out, workflow
from workflows import services
from workflows.models import Run, Suspension
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)

INBOX = "/admin/workflows/question/"
EVIL = "<script>alert(1)</script>"
FORM = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "blue"]}, "count": {"type": "integer", "minimum": 2}},
    "required": ["colour"],
}


@pytest.fixture
def lena(transactional_db: None) -> Client:
    """A member of legal, of the staff, without any permission."""
    return log_in("lena", Group.objects.create(name="legal"))


def log_in(name: str, group: Group | None = None, *, is_staff: bool = True) -> Client:
    user = User.objects.create(username=name, is_staff=is_staff)
    if group is not None:
        user.groups.add(group)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def run(engine: Harness, lena: Client) -> Run:
    """A run that asks legal twice, in the words of a bad person."""
    to = {"groups": ["legal"]}
    definition = workflow(
        "asks",
        fan_out("f", a="a", b="b"),
        ask("a", "First ${name}?", form=FORM, to=to, timeout="P1D", next="j"),
        ask("b", "Second?", to=to, next="j"),
        fan_in("j"),
        end(output={"said": "${output}"}),
    )
    engine.publish(definition)
    begun = engine.start("asks", {"name": EVIL})
    engine.drain()
    return begun


def page_of(run: Run, node: str) -> str:
    return reverse("admin:workflows_question_change", args=[wait(run, node).pk])


def wait(run: Run, node: str) -> Suspension:
    return Suspension.objects.get(run=run, node=node)


def key_on(page: Any) -> str:
    found = re.search(r'name="key" value="(\w+)"', page.content.decode())
    assert found
    return found[1]


def test_the_inbox_lists_what_waits_for_me(run: Run, lena: Client) -> None:
    text = lena.get(INBOX).content.decode()
    assert "First &lt;script&gt;" in text
    assert EVIL not in text
    assert "Second?" not in text
    assert "members of legal" in text
    assert "Questions" in lena.get("/admin/").content.decode()


def test_others_see_nothing(run: Run) -> None:
    nina = log_in("nina")
    assert "First" not in nina.get(INBOX).content.decode()
    assert nina.get(page_of(run, "a")).status_code == 404
    assert log_in("guest", is_staff=False).get(INBOX).status_code == 302


def test_the_page_shows_the_form_and_takes_the_answer(
    run: Run, lena: Client, engine: Harness
) -> None:
    page = lena.get(page_of(run, "a"))
    text = page.content.decode()
    assert EVIL not in text
    assert '<select name="field-0"' in text
    answer = {"key": key_on(page), "field-0": '"red"', "field-1": "3"}
    done = lena.post(page_of(run, "a"), answer, follow=True)
    assert "Your answer is recorded." in done.content.decode()
    assert "Second?" in done.content.decode()  # it is the next one's turn
    assert "First" not in done.content.decode()
    again = lena.post(page_of(run, "a"), answer, follow=True)
    assert "Your answer is recorded." in again.content.decode()
    lena.post(page_of(run, "b"), {"key": "k", "field-0": "just text"})
    engine.drain()
    said = engine.result(run).output["said"]
    assert said == [{"colour": "red", "count": 3}, "just text"]


def test_what_does_not_fit_is_shown_at_its_field(run: Run, lena: Client) -> None:
    page = lena.post(page_of(run, "a"), {"key": "k", "field-0": '"red"', "field-1": "1"})
    assert page.status_code == 200
    assert 'class="form-row errors"' in page.content.decode()
    assert wait(run, "a").state == "open"


def test_an_answered_question_says_who_and_when(run: Run, lena: Client) -> None:
    address = page_of(run, "a")
    lena.post(address, {"key": "k", "field-0": '"red"'})
    liam = log_in("liam", Group.objects.get(name="legal"))
    late = liam.post(address, {"key": "x", "field-0": '"blue"'})
    text = late.content.decode()
    assert "was ended by lena" in text
    assert "<strong>lena</strong> answered it on" in text
    assert "First" in liam.get(f"{INBOX}?show=all").content.decode()
    assert "First" not in liam.get(INBOX).content.decode()


def test_a_question_that_waits_for_its_turn_has_no_page(run: Run, lena: Client) -> None:
    assert lena.get(page_of(run, "b")).status_code == 404


def test_who_has_the_permission_sees_every_question(run: Run) -> None:
    olga = log_in("olga")
    user = User.objects.get(username="olga")
    user.user_permissions.add(Permission.objects.get(codename="answer_question"))
    assert "First" in olga.get(INBOX).content.decode()


def test_nothing_can_be_added_or_deleted(run: Run, lena: Client) -> None:
    assert lena.get(f"{INBOX}add/").status_code == 403
    delete = reverse("admin:workflows_question_delete", args=[wait(run, "a").pk])
    assert lena.post(delete, {"post": "yes"}).status_code == 403
    assert Suspension.objects.filter(run=run).count() == 2


def test_what_is_required_is_marked_also_for_who_cannot_see_it(run: Run, lena: Client) -> None:
    text = lena.get(page_of(run, "a")).content.decode()
    assert text.count("(required)") == 1
    assert re.search(r'<label for="id_field-0">Colour.*\(required\)</span>:</label>', text)
    assert text.count("marks what is required") == 1
    lena.post(page_of(run, "a"), {"key": "k", "field-0": '"red"'})
    assert "(required)" in lena.get(page_of(run, "b")).content.decode()


def test_nobody_answers_the_first_choice_by_not_looking(run: Run, lena: Client) -> None:
    text = lena.get(page_of(run, "a")).content.decode()
    assert '<option value="" selected>Choose one</option>' in text
    page = lena.post(page_of(run, "a"), {"key": "k", "field-0": ""})
    assert "This field is required." in page.content.decode()
    assert "not recorded yet" in page.content.decode()


def test_the_answer_that_was_given_is_shown_to_who_may_see_the_question(
    run: Run, lena: Client, engine: Harness
) -> None:
    address = page_of(run, "a")
    lena.post(address, {"key": "k", "field-0": '"red"', "field-1": "3"})
    at_once = words(lena.get(address))
    assert "lena answered it on 1 Jan 2030, 00:00:00 UTC. Colour red Count 3" in at_once
    services.cancel(run.pk, reason="", by=None)  # its thread never came to write its history
    engine.jump(hours=1)
    assert words(lena.get(address)) == at_once.replace("just now", "1 h ago")
    assert log_in("nina").get(address).status_code == 404


def test_an_answer_is_never_markup(run: Run, lena: Client) -> None:
    lena.post(page_of(run, "a"), {"key": "k", "field-0": '"red"'})
    lena.post(page_of(run, "b"), {"key": "k", "field-0": EVIL})
    text = lena.get(page_of(run, "b")).content.decode()
    assert EVIL not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_question_that_nobody_answered_in_time_says_so(
    run: Run, lena: Client, engine: Harness
) -> None:
    engine.jump(days=2)
    engine.drain()
    text = words(lena.get(page_of(run, "a")))
    assert "No answer Nobody answered in time: it was over on 2 Jan 2030" in text


def words(page: Any) -> str:
    """Return the words in the middle of a page."""
    html = page.content.decode()
    html = html[html.index('id="content-main"') : html.index('id="footer"')]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).replace(" .", ".").strip()
